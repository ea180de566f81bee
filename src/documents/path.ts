/** A path of either tree after Nova's reading of the request target. */
export interface MetadataPath {
  /** Without empty names, `.` and `..`. */
  readonly names: readonly string[]
  /** Exactly the root: answered to anybody, without identification. */
  readonly isOpen: boolean
}

/**
 * Reads a request target as Nova and the servers in front of it do: the query is dropped, percent escapes are decoded
 * (`%2F` and `%2e` count as slash and dot), the path is taken out of an absolute-form target, and it is normalised by the
 * rules of POSIX, in any order of case-sensitive names. POSIX would keep exactly two leading slashes apart from one;
 * here they are one, whether written or encoded (measured: eventlet and uWSGI).
 *
 * @param target  as received; one character is one byte
 * @returns undefined when the target is no path or is not UTF-8
 */
export function readTarget(target: string): MetadataPath | undefined {
  const [raw = ''] = target.split('?', 1)
  const decoded = percentDecoded(raw)
  const bytes = decoded.replace(/^https?:\/\/[^/]*/i, '')
  if (bytes === decoded && !bytes.startsWith('/')) return undefined
  const path = readUtf8(bytes)
  if (path === undefined) return undefined
  const names = normalNames(path)
  return { names, isOpen: path !== '' && names.length === 0 }
}

/** `..` above the root stays at the root. */
function normalNames(path: string): readonly string[] {
  const names: string[] = []
  for (const name of path.split('/')) {
    if (name === '..') names.pop()
    else if (name !== '' && name !== '.') names.push(name)
  }
  return names
}

/** One character is one byte, before and after. A `%` that is not followed by two hexadecimal digits stands for itself. */
function percentDecoded(text: string): string {
  if (!text.includes('%')) return text
  return text.replace(/%([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** @param bytes  one character a byte */
function readUtf8(bytes: string): string | undefined {
  if (/^[ -~]*$/.test(bytes)) return bytes
  try {
    return utf8.decode(Buffer.from(bytes, 'latin1'))
  } catch {
    return undefined
  }
}
