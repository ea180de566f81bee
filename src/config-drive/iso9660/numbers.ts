/** How ISO 9660 stores numbers and times (ECMA-119 chapters 7.2, 7.3, 8.4.26 and 9.1.5). */

/** Where the volume descriptors begin is counted in these, and everything that we write. */
export const SECTOR = 2048

export function sectorsOf(bytes: number): number {
  return Math.ceil(bytes / SECTOR)
}

/** "Both": little-endian, then big-endian. 8 bytes. */
export function writeBoth32(into: Buffer, value: number, offset: number): void {
  into.writeUInt32LE(value, offset)
  into.writeUInt32BE(value, offset + 4)
}

/** 4 bytes. */
export function writeBoth16(into: Buffer, value: number, offset: number): void {
  into.writeUInt16LE(value, offset)
  into.writeUInt16BE(value, offset + 2)
}

/** Years since 1900, month, day, hour, minute, second, quarters of an hour from Greenwich: ours are there. */
export function shortTime(time: Date): Uint8Array {
  return Uint8Array.of(
    time.getUTCFullYear() - 1900,
    time.getUTCMonth() + 1,
    time.getUTCDate(),
    time.getUTCHours(),
    time.getUTCMinutes(),
    time.getUTCSeconds(),
    0,
  )
}

/** 16 digits down to hundredths of a second, then the same quarters of an hour. 17 bytes. */
export function longTime(time: Date): Buffer {
  const digits = time.toISOString().replace(/\D/g, '').slice(0, 14)
  return Buffer.from(`${digits}00\0`, 'latin1')
}

/** For a time that nobody has set. */
export const NO_TIME = Buffer.from(`${'0'.repeat(16)}\0`, 'latin1')
