import { readdirSync } from 'node:fs'
import { hasProgram, runTied, tail } from './programs.js'
import { SetUpProblem } from './set-up.js'

/**
 * @typedef {'start' | 'test' | 'bench'} Purpose
 * @typedef {{ readonly program: string, readonly package: string, readonly why: string, readonly for: readonly Purpose[] }} Row
 */

/**
 * The programs of the system that firstboot drives, and where Debian keeps them. None of these packages starts a
 * service but haproxy, whose stock configuration listens nowhere (radvd’s waits for a file that the package lacks), and Open
 * vSwitch and OVN, which serve empty databases on unix sockets in /run; tests run their own, elsewhere.
 * @type {readonly Row[]}
 */
export const PROGRAMS = [
  { program: 'ip', package: 'iproute2', why: 'makes namespaces, bridges and veth pairs', for: ['start', 'test'] },
  { program: 'unshare', package: 'util-linux', why: 'makes the sandbox', for: ['start', 'test'] },
  { program: 'mount', package: 'mount', why: 'lays out the sandbox', for: ['start', 'test'] },
  { program: 'dnsmasq', package: 'dnsmasq-base', why: 'answers DHCP', for: ['start', 'test'] },
  { program: 'radvd', package: 'radvd', why: 'advertises routers in IPv6', for: ['start', 'test'] },
  { program: 'haproxy', package: 'haproxy', why: 'is the other metadata proxy', for: ['test', 'bench'] },
  { program: 'iptables', package: 'iptables', why: 'keeps the rules of routers', for: ['start', 'test'] },
  { program: 'nft', package: 'nftables', why: 'keeps guests from sending as their neighbours', for: ['start', 'test'] },
  { program: 'busybox', package: 'busybox', why: 'is the DHCP client of demo guests', for: ['start', 'test'] },
  { program: 'curl', package: 'curl', why: 'asks for metadata in guests', for: ['start', 'test'] },
  { program: 'sysctl', package: 'procps', why: 'changes settings that we set again', for: ['test'] },
  { program: 'ethtool', package: 'ethtool', why: 'leaves checksums to hardware, which we undo', for: ['test'] },
  { program: 'dhclient', package: 'isc-dhcp-client', why: 'is a second DHCP client', for: ['test'] },
  { program: 'dhcpcd', package: 'dhcpcd-base', why: 'is a third', for: ['test'] },
  {
    program: 'ovsdb-server',
    package: 'openvswitch-common',
    why: 'is the server of the OVSDB client’s tests',
    for: ['test'],
  },
  {
    program: 'ovs-vswitchd',
    package: 'openvswitch-switch',
    why: 'is the switch of the OVN path’s tests',
    for: ['test', 'bench'],
  },
  {
    program: 'ovn-northd',
    package: 'ovn-central',
    why: 'makes flows of networks in the OVN path’s tests',
    for: ['test', 'bench'],
  },
  {
    program: 'ovn-controller',
    package: 'ovn-host',
    why: 'is OVN on a chassis in the OVN path’s tests',
    for: ['test', 'bench'],
  },
  { program: 'openssl', package: 'openssl', why: 'makes certificates for tests', for: ['test'] },
  { program: 'mmdebstrap', package: 'mmdebstrap', why: 'builds the root of the cloud-init guest', for: ['test'] },
  {
    program: 'genisoimage',
    package: 'genisoimage',
    why: 'is what Nova makes config drives with',
    for: ['test', 'bench'],
  },
  { program: 'xorriso', package: 'xorriso', why: 'reads our config drives', for: ['test'] },
  { program: 'bsdtar', package: 'libarchive-tools', why: 'reads our config drives', for: ['test'] },
  { program: 'mkfs.vfat', package: 'dosfstools', why: 'makes and checks VFAT drives', for: ['test', 'bench'] },
  { program: 'mcopy', package: 'mtools', why: 'reads and fills VFAT drives', for: ['test', 'bench'] },
  { program: 'qemu-system-x86_64', package: 'qemu-system-x86', why: 'runs virtual machines', for: ['test'] },
  { program: 'qemu-img', package: 'qemu-utils', why: 'makes their disks', for: ['test'] },
  { program: 'mke2fs', package: 'e2fsprogs', why: 'makes the root disk of virtual machines', for: ['test'] },
  { program: 'libvirtd', package: 'libvirt-daemon', why: 'runs virtual machines', for: ['test'] },
  { program: 'virt-qemu-run', package: 'libvirt-daemon-driver-qemu', why: 'is libvirt’s QEMU', for: ['test'] },
  { program: 'virsh', package: 'libvirt-clients', why: 'speaks to libvirt', for: ['test'] },
  { program: 'dpkg-deb', package: 'dpkg', why: 'builds our Debian package', for: ['test'] },
  { program: 'systemd-analyze', package: 'systemd', why: 'judges our units, and makes our user', for: ['test'] },
  { program: 'wrk', package: 'wrk', why: 'makes the benchmark’s load', for: ['bench'] },
]

/** Waits for another apt, as a fresh machine's unattended upgrade is. */
const INSTALL = ['install', '-y', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=300']

/**
 * The system's programs, by apt where we may.
 * @param {Purpose} purpose
 * @returns {import('./set-up.js').Step}
 */
export function debianPackages(purpose) {
  return {
    title: 'Debian packages',
    todo() {
      const missing = PROGRAMS.filter((row) => row.for.includes(purpose) && !hasProgram(row.program))
      if (missing.length === 0) return undefined
      const packages = [...new Set(missing.map((row) => row.package))]
      const obstacle = whyNotInstall(missing, packages)
      return obstacle
        ? { says: packages.join(' '), does: () => Promise.reject(new SetUpProblem(obstacle)) }
        : { says: `apt-get install ${packages.join(' ')}`, does: () => install(packages) }
    },
  }
}

/**
 * @param {readonly Row[]} missing
 * @param {readonly string[]} packages
 * @param {{ readonly hasApt: boolean, readonly isRoot: boolean }} machine
 * @returns {string | undefined}  what the person has to do instead
 */
export function whyNotInstall(
  missing,
  packages,
  machine = { hasApt: hasProgram('apt-get'), isRoot: process.getuid?.() === 0 },
) {
  const names = missing.map((row) => `  ${row.program}: ${row.why}`).join('\n')
  if (!machine.hasApt)
    return `These programs are missing, and this is not a Debian that could be asked for them:\n${names}`
  if (!machine.isRoot)
    return `These programs are missing:\n${names}\nInstall them as root, then run this again:\n  sudo apt-get update && sudo apt-get install -y --no-install-recommends ${packages.join(' ')}`
  return undefined
}

/** @param {readonly string[]} packages */
async function install(packages) {
  if (hasLists() && (await aptGet([...INSTALL, ...packages])).code === 0) return
  await aptGet(['update']) // missing or stale lists; when it fails, the installation says what cannot be had
  const { code, output } = await aptGet([...INSTALL, ...packages])
  if (code !== 0) throw new SetUpProblem(`apt-get install failed (exit code ${code}):\n${tail(output)}`)
}

/** @param {readonly string[]} command */
function aptGet(command) {
  return runTied(['apt-get', ...command], { capture: true, env: { DEBIAN_FRONTEND: 'noninteractive' } })
}

function hasLists() {
  return readdirSync('/var/lib/apt/lists').some((name) => name.includes('_Packages'))
}
