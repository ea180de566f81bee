import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { guestKernelPath, MODULES } from '../../bootstrap/guest-kernel.js'

/** Writes the initrd of a virtual machine: static busybox, the modules, and these files. `/init` is to load the modules in
 *  the order of `/modules.list`. */
export function writeInitrd(path: string, files: Readonly<Record<string, string>>): void {
  const kernel = guestKernelPath()
  const modules = MODULES.map((name) =>
    entry(`modules/${name}.ko`, readFileSync(join(kernel, 'modules', `${name}.ko`))),
  )
  const parts = [
    ...['bin', 'dev', 'proc', 'sys', 'drive', 'root', 'modules', 'files'].map((name) => entry(name, undefined)),
    entry('bin/busybox', readFileSync(join(kernel, 'busybox'))),
    entry('modules.list', Buffer.from(MODULES.join('\n'))),
    ...modules,
    ...Object.entries(files).map(([name, text]) => entry(name, Buffer.from(text))),
    entry('TRAILER!!!', Buffer.alloc(0)),
  ]
  writeFileSync(path, gzipSync(Buffer.concat(parts), { level: 1 }))
}

/** One entry of a cpio archive in the `newc` form: 13 numbers of 8 hexadecimal digits, name, contents, each to 4 bytes.
 *  @param contents  undefined for a folder */
function entry(name: string, contents: Uint8Array | undefined): Buffer {
  const mode = contents === undefined ? 0o040755 : 0o100755
  const sizes = [contents?.length ?? 0, 0, 0, 0, 0, Buffer.byteLength(name) + 1, 0]
  const numbers = [0, mode, 0, 0, 1, 0, ...sizes].map((number) => number.toString(16).padStart(8, '0'))
  return Buffer.concat([padded(Buffer.from(`070701${numbers.join('')}${name}\0`)), padded(contents ?? Buffer.alloc(0))])
}

function padded(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)])
}
