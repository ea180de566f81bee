/** One entity of a MIME message (RFC 2045): its header fields and what stands below them. */
export interface Entity {
  /** Names in lower case; folded lines are joined. The first of several fields with one name counts. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
}

/** One character a byte. The fields end at the first empty line, or at the first line that is no field. */
export function readEntity(text: string): Entity {
  const headers = new Map<string, string>()
  let rest = text
  for (;;) {
    const [line = '', end = ''] = /^([^\r\n]*)(\r?\n|$)/.exec(rest)?.slice(1) ?? []
    const field = /^([!-9;-~]+):[ \t]*(.*)$/.exec(line)
    if (field === null && !/^From /.test(line)) {
      return { headers, body: line === '' ? rest.slice(end.length) : rest }
    }
    rest = rest.slice(line.length + end.length)
    const folded = /^([ \t]+[^\r\n]*(\r?\n|$))*/.exec(rest)?.[0] ?? ''
    rest = rest.slice(folded.length)
    const [, name = '', value = ''] = field ?? []
    const key = name.toLowerCase()
    if (field !== null && !headers.has(key)) headers.set(key, `${value}${folded}`.replaceAll(/\s+/g, ' ').trim())
    if (rest === '') return { headers, body: '' }
  }
}

/** `text/cloud-config; charset="utf-8"` -> its type and parameters. RFC 2045 §5.2: without one it is text/plain. */
export function contentType({ headers }: Entity): {
  readonly type: string
  readonly parameters: ReadonlyMap<string, string>
} {
  const [type = '', ...rest] = (headers.get('content-type') ?? 'text/plain').split(';')
  const parameters = rest.map((each) => /^\s*([^=\s]+)\s*=\s*(?:"([^"]*)"|(\S*))\s*$/.exec(each)?.slice(1) ?? [])
  return {
    type: type.trim().toLowerCase(),
    parameters: new Map(
      parameters.map(([name = '', quotedValue, value = '']) => [name.toLowerCase(), quotedValue ?? value]),
    ),
  }
}

/** What a part calls itself, for a message to people. */
export function fileName({ headers }: Entity): string | undefined {
  return /filename\*?=(?:"([^"]*)"|([^;\s]+))/i
    .exec(headers.get('content-disposition') ?? '')
    ?.slice(1)
    .find(Boolean)
}

export interface Multipart {
  readonly parts: readonly string[]
  /** The delimiter with two dashes at its end was seen. */
  readonly isClosed: boolean
}

/** The parts between the delimiters (RFC 2046 §5.1.1), as text with one character a byte. */
export function splitMultipart(body: string, boundary: string): Multipart {
  const parts: string[] = []
  let current: string[] | undefined
  const finish = () => {
    if (current !== undefined) parts.push(current.join('').replace(/\r?\n$/, ''))
  }
  for (const line of body.match(/[^\n]*\n|[^\n]+$/g) ?? []) {
    const bare = line.trimEnd()
    if (bare === `--${boundary}--`) {
      finish()
      return { parts, isClosed: true }
    }
    if (bare === `--${boundary}`) {
      finish()
      current = []
    } else current?.push(line)
  }
  finish()
  return { parts, isClosed: false }
}

/** The bytes of an entity, decoded as its Content-Transfer-Encoding says. @returns undefined when they do not decode */
export function decodedBody({ headers, body }: Entity): Uint8Array | undefined {
  const encoding = (headers.get('content-transfer-encoding') ?? '7bit').toLowerCase()
  if (encoding === 'base64') {
    const compact = body.replaceAll(/\s/g, '')
    return /^[A-Za-z0-9+/]*={0,2}$/.test(compact) && compact.length % 4 === 0
      ? Buffer.from(compact, 'base64')
      : undefined
  }
  if (encoding === 'quoted-printable') return Buffer.from(unquotedPrintable(body), 'latin1')
  return IDENTITY.has(encoding) ? Buffer.from(body, 'latin1') : undefined
}

const IDENTITY: ReadonlySet<string> = new Set(['7bit', '8bit', 'binary', ''])

function unquotedPrintable(text: string): string {
  return text
    .replaceAll(/=[ \t]*\r?\n/g, '')
    .replaceAll(/=([0-9A-Fa-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
}
