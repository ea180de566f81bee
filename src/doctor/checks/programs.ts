import type { Asked, FoundProgram } from '../../host/examine/programs.ts'
import { type Check, error, type Observation, warning, well } from '../check.ts'

/** A program that firstboot drives. */
interface ProgramRow extends Asked {
  readonly package: string
  readonly why: string
  /** `always`: nothing is served without it. `routers`, `guests`, `protection`: some things are not. `optional`: for those who want it. */
  readonly need: 'always' | 'routers' | 'guests' | 'protection' | 'optional'
  /** The oldest version that does what is asked of it. */
  readonly oldest?: string
}

const version = ['--version']

/** Oldest versions: dnsmasq's is Neutron's own limit; nft's is the oldest that was tried; of util-linux `unshare --kill-child` is the youngest option in use. */
export const PROGRAMS: readonly ProgramRow[] = [
  row('ip', ['-V'], 'iproute2', 'makes namespaces, bridges and veth pairs', 'always'),
  { ...row('dnsmasq', version, 'dnsmasq-base', 'answers DHCP', 'always'), oldest: '2.67' },
  row('setpriv', version, 'util-linux', 'takes its privileges from what answers guests', 'always'),
  { ...row('unshare', version, 'util-linux', 'makes sandboxes and guests', 'always'), oldest: '2.32' },
  row('nsenter', version, 'util-linux', 'looks into sandboxes and guests', 'guests'),
  row('mount', version, 'mount', 'lays out sandboxes and guests', 'guests'),
  row('busybox', ['--help'], 'busybox', 'is the DHCP client of namespace guests', 'guests'),
  row('iptables', version, 'iptables', 'redirects 169.254.169.254 in router namespaces', 'routers'),
  row('ip6tables', version, 'iptables', 'redirects fe80::a9fe:a9fe in router namespaces', 'routers'),
  {
    ...row('nft', version, 'nftables', 'keeps guests from sending as their neighbours', 'protection'),
    oldest: '1.0.6',
  },
  row('radvd', version, 'radvd', 'announces IPv6 prefixes in router namespaces', 'routers'),
  row('haproxy', ['-v'], 'haproxy', 'is the metadata proxy of those who choose its driver', 'optional'),
  row('qemu-system-x86_64', version, 'qemu-system-x86', 'runs machines', 'optional'),
  row('virsh', version, 'libvirt-clients', 'drives machines of libvirt', 'optional'),
]

function row(
  program: string,
  versionArguments: readonly string[],
  pack: string,
  why: string,
  need: ProgramRow['need'],
): ProgramRow {
  return { program, versionArguments, package: pack, why, need }
}

export const programChecks: readonly Check[] = [
  ...PROGRAMS.map(
    (each): Check => ({
      name: `programs/${each.program}`,
      expected: `${each.program} is installed${each.oldest === undefined ? '' : `, version ${each.oldest} or later`}: it ${each.why}`,
      judge: ({ programs }) => [judgeProgram(each, programs.get(each.program))],
    }),
  ),
  {
    name: 'programs/iptables-variants',
    expected: 'rules are kept by one variant of iptables, nft or legacy',
    judge: ({ programs, kernel: { legacyTables } }) => {
      const iptables = programs.get('iptables')
      if (iptables === undefined) return [well('there is no iptables')]
      const isNft = iptables.says.includes('nf_tables')
      const filled = 'value' in legacyTables ? legacyTables.value : []
      if (!isNft || filled.length === 0) return [well(isNft ? 'nft' : 'legacy')]
      return [
        warning(
          `iptables is the nft variant, and the legacy one has filled ${filled.join(', ')}: packets pass both`,
          'move the rules over (iptables-legacy-save | iptables-restore) and empty the legacy tables',
        ),
      ]
    },
  },
]

/** What is lost without a program. */
const LOST: Readonly<Record<Exclude<ProgramRow['need'], 'always' | 'optional'>, string>> = {
  routers: 'there are no networks behind routers on this host',
  guests: 'there are no namespace guests and sandboxes on this host',
  protection: 'a guest can take its neighbour’s address and read that one’s metadata',
}

function judgeProgram(
  { program, package: pack, need, oldest }: ProgramRow,
  found: FoundProgram | undefined,
): Observation {
  const mend = `install the Debian package ${pack}`
  if (found === undefined) {
    if (need === 'always') return error(`${program} is not installed`, mend)
    if (need === 'optional') return well('not installed; nothing asks for it by default')
    return warning(`${program} is not installed: ${LOST[need]}`, mend)
  }
  if (oldest !== undefined && found.version !== undefined && isOlder(found.version, oldest))
    return error(`${program} is of version ${found.version}`, `${mend} of a younger release`)
  return well(found.version ?? found.says)
}

/** Of numbers between dots. */
export function isOlder(version: string, than: string): boolean {
  const [a, b] = [version, than].map((text) => text.split('.').map(Number))
  for (let i = 0; i < Math.max(a?.length ?? 0, b?.length ?? 0); i += 1) {
    const difference = (a?.[i] ?? 0) - (b?.[i] ?? 0)
    if (difference !== 0) return difference < 0
  }
  return false
}
