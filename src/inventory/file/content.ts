import { Buffer } from 'node:buffer'
import type { Path } from './problem.ts'
import { describe, type Kind, type Reading } from './shape.ts'

const forms = 'text, {file: PATH} (relative to the inventory file) or {base64: DATA}'

/**
 * Bytes in one of three spellings: as text, from a file, or as base64. Read as canonical base64, the form in which
 * Nova keeps them.
 * @param max  characters of base64 that are allowed
 */
export function content(max: number): Kind<string> {
  const limit = Math.floor(max / 4) * 3
  return {
    name: `text, \`{file: PATH}\` or \`{base64: DATA}\` (at most ${limit} bytes)`,
    read(value, path, reading) {
      const bytes = bytesOf(value, path, reading, limit)
      if (bytes === undefined) return undefined
      const encoded = Buffer.from(bytes).toString('base64')
      if (encoded.length <= max) return encoded
      reading.report(
        path,
        `is ${bytes.length} bytes, ${encoded.length} characters in base64; at most ${max} (${limit} bytes) are allowed`,
      )
      return undefined
    },
  }
}

function bytesOf(value: unknown, path: Path, reading: Reading, limit: number): Uint8Array | undefined {
  if (typeof value === 'string') return Buffer.from(value, 'utf8')
  if (value instanceof Uint8Array) return value
  const [[form, given] = [], ...more] = value instanceof Map ? value : []
  if (more.length === 0 && typeof given === 'string') {
    if (form === 'base64') return decoded(given, [...path, 'base64'], reading)
    if (form === 'file') return contents(given, [...path, 'file'], reading, limit)
  }
  reading.report(path, `is ${describe(value)}, and should be ${forms}`)
  return undefined
}

function decoded(data: string, path: Path, { report }: Reading): Uint8Array | undefined {
  const compact = data.replaceAll(/\s/g, '')
  if (compact.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(compact)) return Buffer.from(compact, 'base64')
  report(path, 'is not standard base64 (A-Z, a-z, 0-9, +, / and padding with =)')
  return undefined
}

function contents(name: string, path: Path, { report, bytesOf }: Reading, limit: number): Uint8Array | undefined {
  try {
    return bytesOf(name, limit)
  } catch (error) {
    report(path, `${JSON.stringify(name)} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
    return undefined
  }
}

const asBytes = content(65_535)

/** One public key: as text, or from a file such as `id_ed25519.pub`. */
export const publicKey: Kind<string> = {
  name: 'text or `{file: PATH}`',
  read(value, path, reading) {
    const encoded = asBytes.read(value, path, reading)
    const key = encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString('utf8')
    if (key === undefined) return undefined
    if (
      /^(ssh|ecdsa|sk-ssh|sk-ecdsa)-\S+ [A-Za-z0-9+/]+=*(\s|$)/.test(key) ||
      key.startsWith('-----BEGIN CERTIFICATE-----')
    ) {
      return key
    }
    reading.report(
      path,
      'is no public key; it should be one OpenSSH line (ssh-ed25519 AAAA... name) or a PEM certificate',
    )
    return undefined
  },
}
