import { gunzipSync } from 'node:zlib'
import { type Check, type Finding, runChecks } from '../finding.ts'
import type { Examine, Means } from './examine.ts'
import { type Piece, unpackedFrom } from './piece.ts'

export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b
}

/** Bytes. 49149 bytes of gzip can hold 50 MB of nothing; whoever needs more in a first boot fetches it. */
const UNPACKED_MAX = 16 * 1024 * 1024

/** Opens it and examines what is inside. */
export function examineGzip(piece: Piece, means: Means, examine: Examine): readonly Finding[] {
  const unpacked = unpack(piece.bytes)
  if (unpacked instanceof Error) return runChecks([broken], unpacked, piece.place)
  return examine(unpackedFrom(piece, 'unpacked', unpacked), means)
}

function unpack(bytes: Uint8Array): Uint8Array | Error {
  try {
    return gunzipSync(bytes, { maxOutputLength: UNPACKED_MAX })
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

const broken: Check<Error> = {
  name: 'user-data/gzip',
  severity: 'error',
  breaks: ['cloud-init', 'cloudbase-init'],
  how: 'it cannot be unpacked, and nothing of it is used',
  mend: 'pack it again; a file that was cut off or went through a text conversion does not open',
  look: (error) => ({
    problem:
      'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE'
        ? `is gzip of more than ${UNPACKED_MAX / 1024 / 1024} MiB`
        : `begins like gzip, but does not open: ${error.message}`,
  }),
}
