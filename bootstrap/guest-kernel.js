import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { runTied, tail } from './programs.js'
import { SetUpProblem } from './set-up.js'

/** What the initrd of a virtual machine loads, in an order in which each finds what it needs. */
export const MODULES = [
  'virtio_ring',
  'virtio',
  'virtio_pci_legacy_dev',
  'virtio_pci_modern_dev',
  'virtio_pci',
  'virtio_blk',
  'failover',
  'net_failover',
  'virtio_net',
  'scsi_common',
  'scsi_mod',
  'libata',
  'ata_piix',
  'cdrom',
  'sr_mod',
  'isofs',
  'fat',
  'vfat',
  'nls_cp437',
  'nls_ascii',
  'nls_iso8859-1',
  'nls_utf8',
]

/** Debian's kernel for clouds: small, and everything of it that matters here is a module. */
const KERNEL = 'linux-image-cloud-amd64'

/** Where the kernel of the virtual machines lies once fetched: `vmlinuz`, `busybox` (static) and `modules/`. */
export function guestKernelPath() {
  const cache = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache')
  const digest = createHash('sha256')
    .update([KERNEL, ...MODULES].join(' '))
    .digest('hex')
    .slice(0, 12)
  return join(cache, 'firstboot', `guest-kernel-${digest}`)
}

/** Why no virtual machine can be booted here, if so. */
export function guestKernelProblem() {
  return existsSync(guestKernelPath()) ? undefined : 'the guest kernel has not been fetched; npm test does it'
}

/** @returns {import('./set-up.js').Step} */
export function guestKernel() {
  return {
    title: 'guest kernel',
    todo() {
      if (existsSync(guestKernelPath())) return undefined
      return { says: `apt-get download ${KERNEL}, once`, does: () => fetchKernel(guestKernelPath()) }
    },
  }
}

/** Unpacked, never installed: this machine's own kernel is not touched. @param {string} path */
async function fetchKernel(path) {
  mkdirSync(dirname(path), { recursive: true })
  const work = mkdtempSync(`${path}.tmp-`)
  try {
    await run(['apt-get', '-o', 'APT::Sandbox::User=root', 'download', await kernelPackage(), 'busybox-static'], work)
    const archives = readdirSync(work).filter((name) => name.endsWith('.deb'))
    for (const archive of archives) await run(['dpkg-deb', '-x', archive, 'tree'], work)
    const files = readdirSync(join(work, 'tree'), { recursive: true, encoding: 'utf8' })
    const whole = join(work, 'whole')
    mkdirSync(join(whole, 'modules'), { recursive: true })
    cpSync(join(work, 'tree', found(files, /^boot\/vmlinuz-/)), join(whole, 'vmlinuz'))
    cpSync(join(work, 'tree', found(files, /^(usr\/)?bin\/busybox$/)), join(whole, 'busybox'))
    for (const file of files.filter((name) => name.endsWith('.ko') && MODULES.includes(basename(name, '.ko'))))
      cpSync(join(work, 'tree', file), join(whole, 'modules', basename(file)))
    if (!existsSync(path)) renameSync(whole, path) // else somebody was faster
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** The package that the name stands for now: `linux-image-6.1.0-56-cloud-amd64`. */
async function kernelPackage() {
  const { output } = await runTied(['apt-cache', 'depends', KERNEL], { capture: true })
  const name = /Depends: (linux-image-\S+)/.exec(output)?.[1]
  if (name === undefined)
    throw new SetUpProblem(`apt does not know ${KERNEL}; apt-get update may help:\n${tail(output)}`)
  return name
}

/** @param {readonly string[]} files @param {RegExp} pattern */
function found(files, pattern) {
  const file = files.find((name) => pattern.test(name))
  if (file === undefined) throw new SetUpProblem(`the Debian packages hold no ${pattern.source}`)
  return file
}

/** @param {readonly [string, ...string[]]} command @param {string} folder */
async function run(command, folder) {
  const { code, output } = await runTied(['env', `--chdir=${folder}`, ...command], { capture: true })
  if (code !== 0) throw new SetUpProblem(`${command.join(' ')} failed (exit code ${code}):\n${tail(output)}`)
}
