import { FIXED_DISK_MEDIA } from './boot-sector.ts'
import type { FatBits } from './geometry.ts'

/** The file allocation table: for each cluster the next one of its file. Two entries stand before the first cluster's. */

/** The number of the first cluster. */
export const FIRST_CLUSTER = 2

/** Bits of an entry that count. */
const MASKS = { 12: 0xfff, 16: 0xffff, 32: 0x0fff_ffff } as const

/** So many numbers below the mask, itself included, end a chain. */
const ENDS = 8

/** Clusters in a row that belong together. */
export interface Run {
  readonly first: number
  readonly count: number
}

/** The table up to the last cluster that is used; the rest is zeros. @param runs  one behind the other, from the first on */
export function tableBytes(runs: readonly Run[], bits: FatBits): Buffer {
  const end = MASKS[bits]
  const last = runs.at(-1)
  const length = last ? last.first + last.count : FIRST_CLUSTER
  const bytes = Buffer.alloc(Math.ceil((length * bits) / 8))
  writeNext(bytes, 0, (end & ~0xff) | FIXED_DISK_MEDIA, bits)
  writeNext(bytes, 1, end, bits)
  for (const { first, count } of runs) {
    const lastOfRun = first + count - 1
    for (let cluster = first; cluster < lastOfRun; cluster += 1) writeNext(bytes, cluster, cluster + 1, bits)
    writeNext(bytes, lastOfRun, end, bits)
  }
  return bytes
}

/** Entries of 12 bits share a byte. */
function writeNext(bytes: Buffer, cluster: number, next: number, bits: FatBits): void {
  if (bits === 32) bytes.writeUInt32LE(next, cluster * 4)
  else if (bits === 16) bytes.writeUInt16LE(next, cluster * 2)
  else {
    const at = cluster + (cluster >> 1)
    const shift = (cluster & 1) * 4
    bytes[at] = (bytes[at] ?? 0) | ((next << shift) & 0xff)
    bytes[at + 1] = (bytes[at + 1] ?? 0) | ((next << shift) >> 8)
  }
}

/** @returns the next cluster, or undefined at the end of a chain */
export function nextCluster(table: Buffer, cluster: number, bits: FatBits): number | undefined {
  const next = readNext(table, cluster, bits) & MASKS[bits]
  return next > MASKS[bits] - ENDS ? undefined : next
}

function readNext(table: Buffer, cluster: number, bits: FatBits): number {
  if (bits === 32) return table.readUInt32LE(cluster * 4)
  if (bits === 16) return table.readUInt16LE(cluster * 2)
  return table.readUInt16LE(cluster + (cluster >> 1)) >> ((cluster & 1) * 4)
}
