import { closeSync, existsSync, openSync, readSync, renameSync, rmSync } from 'node:fs'
import { HostError } from './errors.ts'
import type { DiskImage } from './machine.ts'
import { runProgram } from './programs.ts'

const GIB = 1024 ** 3

/** Makes a machine's own disk over its image, which stays as it is. Formats are named, never guessed from what a guest may
 *  have written. One that exists is left alone. @throws HostError */
export async function makeDisk(path: string, image: DiskImage, gib: number): Promise<void> {
  if (existsSync(path)) return
  if (!existsSync(image.path)) throw new HostError(`there is no image ${image.path}`)
  const fresh = `${path}.new`
  rmSync(fresh, { force: true })
  const { stdout } = await runProgram('qemu-img', ['info', '-f', image.format, '--output=json', image.path])
  const bytes = Math.max(virtualBytes(stdout, image), gib * GIB)
  const backing = ['-b', image.path, '-F', image.format]
  await runProgram('qemu-img', ['create', '-q', '-f', 'qcow2', ...backing, fresh, String(bytes)])
  renameSync(fresh, path)
}

function virtualBytes(info: string, { path }: DiskImage): number {
  const size = (JSON.parse(info) as { 'virtual-size'?: unknown })['virtual-size']
  if (typeof size === 'number') return size
  throw new HostError(`qemu-img does not tell the size of ${path}`)
}

/** ECMA-119: the identifier of the first volume descriptor, in sector 16. */
const ISO_ID = { offset: 16 * 2048 + 1, text: 'CD001' }

/** How a drive that exists is to be shown to a guest; undefined when there is none. */
export function driveDevice(path: string): 'cdrom' | 'disk' | undefined {
  if (!existsSync(path)) return undefined
  const fd = openSync(path, 'r')
  try {
    const bytes = Buffer.alloc(ISO_ID.text.length)
    readSync(fd, bytes, 0, bytes.length, ISO_ID.offset)
    return bytes.toString('latin1') === ISO_ID.text ? 'cdrom' : 'disk'
  } finally {
    closeSync(fd)
  }
}
