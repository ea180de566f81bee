import { readYaml } from '../cloud-config/yaml.ts'
import { type Check, type Finding, runChecks } from '../finding.ts'
import { treatmentOf } from './content-types.ts'
import type { Means } from './examine.ts'
import type { Inner } from './message.ts'
import { type Piece, partOf, quoted } from './piece.ts'

/** `#cloud-config-archive`: a YAML list of texts, or of mappings with `content`, and with `type` and `filename` or not. */
export function examineArchive(piece: Piece, means: Means, inner: Inner): readonly Finding[] {
  const { value, problems, lineOf } = readYaml(piece.text ?? '')
  const own = runChecks([isList], { value, broken: problems[0]?.message, line: problems[0]?.line }, piece.place)
  if (!Array.isArray(value) || own.length > 0) return own
  return value.flatMap((entry: unknown, index) => {
    const member = asMember(entry)
    if (member === undefined) {
      const line = lineOf([index])
      return runChecks([isEntry], { index, ...(line === undefined ? {} : { line }) }, piece.place)
    }
    const name = `part ${index + 1}${member.filename === undefined ? '' : ` ${quoted(member.filename)}`}`
    return examineMember(member, partOf(piece, name, Buffer.from(member.content)), means, inner)
  })
}

interface Member {
  readonly content: string
  readonly type?: string
  readonly filename?: string
}

function asMember(entry: unknown): Member | undefined {
  if (typeof entry === 'string') return { content: entry }
  if (typeof entry !== 'object' || entry === null || !('content' in entry)) return undefined
  const { content } = entry
  if (typeof content !== 'string') return undefined
  return {
    content,
    ...('type' in entry && typeof entry.type === 'string' ? { type: entry.type } : {}),
    ...('filename' in entry && typeof entry.filename === 'string' ? { filename: entry.filename } : {}),
  }
}

/** Without a type it goes by the first line, and is cloud-config when that is unknown. */
function examineMember({ type, content }: Member, piece: Piece, means: Means, { examinePiece, examineKind }: Inner) {
  const treatment = type === undefined ? 'look' : treatmentOf(type)
  if (treatment === undefined) return runChecks([isKnownType], type ?? '', piece.place)
  if (treatment === 'look')
    return /^\s*#/.test(content) ? examinePiece(piece, means) : examineKind('cloud-config', piece, means)
  return treatment === 'gzip' || treatment === 'nested' || treatment === 'handled'
    ? []
    : examineKind(treatment, piece, means)
}

const LOST = { severity: 'error', breaks: ['cloud-init'] } as const

const isList: Check<{ value: unknown; broken: string | undefined; line: number | undefined }> = {
  ...LOST,
  name: 'archive/list',
  how: 'cloud-init uses nothing of the archive',
  mend: 'write a YAML list of mappings with type and content',
  look: ({ value, broken, line }) => {
    if (broken !== undefined) return { problem: `is no YAML: ${broken}`, ...(line === undefined ? {} : { line }) }
    return Array.isArray(value) ? undefined : { problem: 'is no list' }
  },
}

const isEntry: Check<{ index: number; line?: number }> = {
  ...LOST,
  name: 'archive/entry',
  how: 'cloud-init leaves the entry out',
  mend: 'give it the text as content',
  look: ({ index, ...where }) => ({ problem: `entry ${index + 1} has no content`, ...where }),
}

const isKnownType: Check<string> = {
  ...LOST,
  name: 'archive/type',
  how: 'cloud-init leaves the entry out: it has no handler for the type',
  mend: 'say one of the types cloud-init knows, such as text/cloud-config',
  look: (type) => ({ problem: `${quoted(type)} is no type that a guest knows` }),
}
