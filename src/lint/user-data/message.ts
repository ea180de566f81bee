import { nearest } from '../../text/nearest.ts'
import { type Check, type Finding, runChecks } from '../finding.ts'
import { KNOWN_TYPES, treatmentOf } from './content-types.ts'
import { contentType, decodedBody, type Entity, fileName, readEntity, splitMultipart } from './entity.ts'
import type { Examine, Means } from './examine.ts'
import { examineGzip, isGzip } from './gzip.ts'
import type { KindName } from './kinds.ts'
import { type Piece, partOf, quoted } from './piece.ts'

/** How a piece inside of another one is examined. */
export interface Inner {
  readonly examinePiece: Examine
  readonly examineKind: (kind: KindName, piece: Piece, means: Means) => readonly Finding[]
}

/** A MIME message: whether it is well formed, and each part on its own. */
export function examineMessage(piece: Piece, means: Means, inner: Inner): readonly Finding[] {
  const entity = readEntity(Buffer.from(piece.bytes).toString('latin1').trimStart())
  const own = runChecks(messageChecks, entity, piece.place)
  return [...own, ...examineEntity(entity, piece, means, inner)]
}

/** `piece` is the entity's whole, or the part it is. */
function examineEntity(entity: Entity, piece: Piece, means: Means, inner: Inner): readonly Finding[] {
  const { type, parameters } = contentType(entity)
  const treatment = treatmentOf(type)
  if (treatment !== 'nested') return examineLeaf(entity, piece, means, inner)
  const boundary = parameters.get('boundary') ?? ''
  const { parts, isClosed } = splitMultipart(entity.body, boundary)
  const own = runChecks(multipartChecks, { boundary, count: parts.length, isClosed }, piece.place)
  return [
    ...own,
    ...parts.flatMap((text, index) => {
      const part = readEntity(text)
      const name = fileName(part)
      const label = `part ${index + 1}${name === undefined ? '' : ` ${quoted(name)}`}`
      const bytes = decodedBody(part) ?? new Uint8Array()
      return examineEntity(part, partOf(piece, label, bytes), means, inner)
    }),
  ]
}

/** A part that holds no parts. A message without parts is one too: its piece is then its decoded body. */
function examineLeaf(entity: Entity, piece: Piece, means: Means, inner: Inner): readonly Finding[] {
  const { type } = contentType(entity)
  const own = runChecks(partChecks, entity, piece.place)
  if (own.length > 0) return own
  const body = piece.isWhole ? partOf(piece, 'body', decodedBody(entity) ?? new Uint8Array()) : piece
  const treatment = treatmentOf(type)
  if (body.bytes.length === 0 || treatment === 'handled' || treatment === 'nested' || treatment === undefined) return []
  if (treatment === 'gzip' || isGzip(body.bytes)) return examineGzip(body, means, inner.examinePiece)
  return treatment === 'look' ? inner.examinePiece(body, means) : inner.examineKind(treatment, body, means)
}

const LOST = { severity: 'error', breaks: ['cloud-init', 'cloudbase-init'] } as const

const messageChecks: readonly Check<Entity>[] = [
  {
    ...LOST,
    name: 'mime/header',
    how: 'the header of a message ends at its first empty line; what stands below is content, and the parts are not found',
    mend: 'begin with the fields Content-Type and MIME-Version, and the empty line only behind them',
    look: ({ headers }) =>
      headers.has('mime-version')
        ? undefined
        : { problem: 'is taken for a MIME message, but "MIME-Version:" is not in its header', line: 1 },
  },
]

interface Parts {
  readonly boundary: string
  readonly count: number
  readonly isClosed: boolean
}

const multipartChecks: readonly Check<Parts>[] = [
  {
    ...LOST,
    name: 'mime/boundary',
    how: 'no part is found, and nothing is used',
    mend: 'name in Content-Type what stands between the parts (boundary="..."), and put that behind two dashes on a line of its own',
    look: ({ boundary, count }) => {
      if (boundary === '') return { problem: 'is multipart without a boundary' }
      return count === 0 ? { problem: `has no line ${quoted(`--${boundary}`)}` } : undefined
    },
  },
  {
    ...LOST,
    name: 'mime/closing',
    severity: 'warning',
    how: 'the message may have been cut off: the last part ends where the bytes end',
    mend: 'end with the boundary between two pairs of dashes',
    look: ({ boundary, count, isClosed }) =>
      count > 0 && !isClosed ? { problem: `does not end with ${quoted(`--${boundary}--`)}` } : undefined,
  },
]

const partChecks: readonly Check<Entity>[] = [
  {
    ...LOST,
    name: 'mime/type',
    how: 'the part is left out: cloud-init logs "Unhandled unknown content-type"',
    mend: 'say one of the types cloud-init knows, such as text/cloud-config or text/x-shellscript',
    look: (entity) => {
      const { type } = contentType(entity)
      if (treatmentOf(type) !== undefined) return undefined
      const meant = nearest(type, KNOWN_TYPES)
      return {
        problem: `${quoted(type)} is no type that a guest knows${meant === undefined ? '' : `; did you mean ${meant}?`}`,
      }
    },
  },
  {
    ...LOST,
    name: 'mime/encoding',
    how: 'the part reaches the guest garbled or not at all',
    mend: 'encode the part as its Content-Transfer-Encoding says (7bit, 8bit, base64, quoted-printable)',
    look: (entity) =>
      decodedBody(entity) === undefined
        ? { problem: `does not decode as ${quoted(entity.headers.get('content-transfer-encoding') ?? '')}` }
        : undefined,
  },
]
