import { spawnSync } from 'node:child_process'
import { READERS } from './readers.ts'

/** What each program says it is, by the arguments that make it tell. */
const VERSIONS: readonly (readonly [string, ...string[]])[] = [
  ['genisoimage', '--version'],
  ['xorriso', '-version'],
  ['bsdtar', '--version'],
  ['mtools', '--version'],
  ['qemu-system-x86_64', '--version'],
  ['libvirtd', '--version'],
]

/** docs/config-drive-matrix.md. @param rows  writer, and what each reader says */
export function page(rows: readonly (readonly string[])[]): string {
  const heading = ['written by', ...READERS.map(({ title }) => title)]
  const lines = [heading, heading.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`)
  return `# Who reads which config drive

Made by \`npm run drive-matrix\`. The rows are writers, the columns readers: \`yes\` means that the reader found every file with
the very bytes (isoinfo: every name; fsck.vfat: no complaint; cloud-init: took it for its data source and the host name from
it; libvirt: started a domain with it attached as Nova does), a dash that the reader is not for that format. Linux mounts the
drive in a virtual machine (TCG), where unmodified cloud-init then boots from it.

${lines.join('\n')}

Versions: ${VERSIONS.map(versionOf).join(', ')}; Debian 12's kernel and cloud-init.
`
}

function versionOf([program, ...args]: readonly [string, ...string[]]): string {
  const { stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' })
  const number = /\d+\.\d+(\.\d+)*/.exec(`${stdout}${stderr}`)?.[0] ?? ''
  return `${program} ${number}`.trim()
}
