import { fileURLToPath } from 'node:url'
import { eventually } from '../eventually.ts'
import { type Injection, router, whileAsleep } from './injection.ts'
import type { Ward } from './ward.ts'

/** `six-*` have IPv6 alone, of DHCPv6 and without a router; `rad-1` makes its address of what a router says; `dual-1` has both families. */
export const IPV6_INVENTORY = `
projects: [{ name: p }]
networks:
  - name: six
    project: p
    subnets:
      - { name: six, cidr: 'fd00:6::/64', gateway_ip: null, ipv6_address_mode: dhcpv6-stateful, ipv6_ra_mode: dhcpv6-stateful }
  - { name: rad, project: p, subnets: [{ name: rad, cidr: 'fd00:7::/64', ipv6_address_mode: slaac, ipv6_ra_mode: slaac }] }
  - name: dual
    project: p
    subnets:
      - { name: dual4, cidr: 10.8.0.0/24 }
      - { name: dual6, cidr: 'fd00:8::/64', ipv6_address_mode: slaac, ipv6_ra_mode: slaac }
routers: [{ name: r, project: p, interfaces: [rad, dual4, dual6] }]
ports:
  - { name: six-1, project: p, network: six, port_security_enabled: false, fixed_ips: [{ ip_address: 'fd00:6::11' }] }
  - { name: six-2, project: p, network: six, port_security_enabled: false, fixed_ips: [{ ip_address: 'fd00:6::12' }] }
# With a drive, since some clients ask 169.254.169.254 alone.
servers:
  - { name: six-1, project: p, config_drive: true, networks: [{ port: six-1 }] }
  - { name: six-2, project: p, config_drive: true, networks: [{ port: six-2 }] }
  - { name: rad-1, project: p, config_drive: true, networks: [{ network: rad }] }
  - { name: dual-1, project: p, networks: [{ network: dual }] }
`

const METADATA = 'fe80::a9fe:a9fe/64'

const WHOLE_SIX = { patient: 'six-1', neighbour: 'rad-1', path: 'IPv6' } as const
const WHOLE_ROUTER = { patient: 'rad-1', neighbour: 'six-1', path: 'IPv6' } as const
const ONE_OF_SIX = { patient: 'six-1', neighbour: 'six-2', path: 'IPv6' } as const

/** In the namespace of a guest’s network. */
const inside = (ward: Ward, name: string, ...command: readonly string[]) =>
  ward.within(ward.patient(name).qdhcp, ...command)
const deviceOf = (ward: Ward, name: string) =>
  /(ns-\S+?)@/.exec(inside(ward, name, 'ip', '-o', 'link'))?.[1] ?? 'no device'
const radvdFile = (ward: Ward, file: string) => `${ward.state}/ra/${router(ward).slice('qrouter-'.length)}/${file}`
const radvd = (ward: Ward) => ward.run('cat', radvdFile(ward, 'pid')).trim()
const dnsmasq = (ward: Ward) => ward.run('cat', `${ward.state}/dhcp/${ward.patient('six-1').qdhcp.slice(6)}/pid`).trim()
const loseAddress = (ward: Ward, name: string) =>
  inside(ward, name, 'ip', 'address', 'delete', METADATA, 'dev', deviceOf(ward, name))
const guest = (ward: Ward, name: string, ...command: readonly string[]) => ward.run('ip', '-n', name, ...command)
const sysctl = (ward: Ward, name: string, setting: string) =>
  ward.within(name, 'sysctl', '-qw', `net.ipv6.conf.eth0.${setting}`)

/** The link-local address that a guest makes itself is made anew. */
export async function renewLinkLocal(ward: Ward, mode: 'eui64' | 'random'): Promise<void> {
  guest(ward, 'six-1', 'link', 'set', 'eth0', 'down')
  guest(ward, 'six-1', 'link', 'set', 'eth0', 'addrgenmode', mode)
  guest(ward, 'six-1', 'link', 'set', 'eth0', 'up')
  await settled(ward, 'six-1')
  takeAddress(ward, 'six-1')
}

const LEASE_SCRIPT = fileURLToPath(new URL('../dhclient6-script.sh', import.meta.url))

/** The guest asks DHCPv6, under a name (DUID) that it thinks up. */
export function lease6(ward: Ward, name: string): void {
  const files = ['-lf', `${ward.state}/${name}.leases6`, '-pf', `${ward.state}/${name}.pid6`]
  ward.within(name, 'dhclient', '-6', '-1', '-q', ...files, '-sf', LEASE_SCRIPT, 'eth0')
}

/** As if it had asked. */
function takeAddress(ward: Ward, name: string): void {
  guest(ward, name, 'address', 'replace', `${ward.patient(name).address}/64`, 'dev', 'eth0', 'nodad')
}

/** The guest has its link-local address, and nobody else. */
export function settled(ward: Ward, name: string): Promise<unknown> {
  const isSettled = () => /inet6 fe80(?!.*tentative)/.test(guest(ward, name, '-6', 'address', 'show', 'eth0'))
  return eventually(`${name} has its link-local address`, isSettled)
}

export const IPV6_INJECTIONS: readonly Injection[] = [
  whileAsleep({
    ...WHOLE_SIX,
    severity: 'broken',
    fault: 'address-missing',
    how: 'fe80::a9fe:a9fe is deleted',
    inject: (ward) => loseAddress(ward, 'six-1'),
  }),
  whileAsleep({
    ...WHOLE_SIX,
    severity: 'broken',
    fault: 'dad-failed',
    how: 'another guest has fe80::a9fe:a9fe',
    inject: async (ward) => {
      loseAddress(ward, 'six-1')
      guest(ward, 'six-2', 'address', 'add', METADATA, 'dev', 'eth0', 'nodad')
      inside(ward, 'six-1', 'ip', 'address', 'add', METADATA, 'dev', deviceOf(ward, 'six-1'))
      const isRefused = () => inside(ward, 'six-1', 'ip', '-6', 'address').includes('dadfailed')
      await eventually('the address is refused', isRefused)
    },
    heal: (ward) => {
      guest(ward, 'six-2', 'address', 'delete', METADATA, 'dev', 'eth0')
      loseAddress(ward, 'six-1')
    },
  }),
  {
    ...WHOLE_SIX,
    severity: 'broken',
    fault: 'metadata-address-taken',
    how: 'another guest has taken fe80::a9fe:a9fe as well',
    inject: (ward) => guest(ward, 'six-2', 'address', 'add', METADATA, 'dev', 'eth0', 'nodad'),
    heal: (ward) => guest(ward, 'six-2', 'address', 'delete', METADATA, 'dev', 'eth0'),
  },
  {
    ...WHOLE_SIX,
    severity: 'broken',
    fault: 'packets-dropped',
    how: 'a rule of ip6tables in the namespace drops port 80',
    inject: (ward) => inside(ward, 'six-1', 'ip6tables', '-I', 'INPUT', '-p', 'tcp', '--dport', '80', '-j', 'DROP'),
    heal: (ward) => inside(ward, 'six-1', 'ip6tables', '-F', 'INPUT'),
  },
  {
    ...WHOLE_SIX,
    severity: 'risk',
    fault: 'dhcpv6-silent',
    how: 'dnsmasq is stopped',
    inject: (ward) => ward.run('kill', '-STOP', dnsmasq(ward)),
    heal: (ward) => ward.run('kill', '-CONT', dnsmasq(ward)),
  },
  {
    ...ONE_OF_SIX,
    severity: 'broken',
    fault: 'ipv6-address-taken',
    how: 'the neighbour has the address as well',
    inject: (ward) => guest(ward, 'six-2', 'address', 'add', 'fd00:6::11/128', 'dev', 'eth0', 'nodad'),
    heal: (ward) => guest(ward, 'six-2', 'address', 'delete', 'fd00:6::11/128', 'dev', 'eth0'),
  },
  {
    ...ONE_OF_SIX,
    severity: 'broken',
    fault: 'guest-without-ipv6',
    how: 'IPv6 is switched off in the guest',
    inject: (ward) => sysctl(ward, 'six-1', 'disable_ipv6=1'),
    heal: async (ward) => {
      sysctl(ward, 'six-1', 'disable_ipv6=0')
      await settled(ward, 'six-1')
      takeAddress(ward, 'six-1')
    },
  },
  whileAsleep({
    ...WHOLE_ROUTER,
    severity: 'risk',
    fault: 'radvd-dead',
    how: 'radvd is killed',
    inject: (ward) => ward.run('kill', '-KILL', radvd(ward)),
  }),
  {
    ...WHOLE_ROUTER,
    severity: 'risk',
    fault: 'radvd-silent',
    how: 'radvd is stopped',
    inject: (ward) => ward.run('kill', '-STOP', radvd(ward)),
    heal: (ward) => ward.run('kill', '-CONT', radvd(ward)),
  },
  whileAsleep({
    ...WHOLE_ROUTER,
    severity: 'risk',
    fault: 'advert-wrong',
    how: 'radvd.conf is edited by hand, and has no route',
    inject: (ward) => {
      ward.run('sed', '-i.kept', '/route fe80/,/};/d', radvdFile(ward, 'radvd.conf'))
      ward.run('kill', '-HUP', radvd(ward))
    },
    heal: (ward) => {
      ward.run('mv', radvdFile(ward, 'radvd.conf.kept'), radvdFile(ward, 'radvd.conf'))
      ward.run('kill', '-HUP', radvd(ward))
    },
  }),
  whileAsleep({
    patient: 'rad-1',
    path: 'IPv6',
    severity: 'broken',
    fault: 'rule-missing',
    how: 'the redirection of IPv6 to the proxy is deleted',
    inject: (ward) => ward.within(router(ward), 'ip6tables', '-t', 'nat', '-F', 'neutron-l3-agent-PREROUTING'),
  }),
  whileAsleep({
    patient: 'dual-1',
    neighbour: 'rad-1',
    path: 'dual-stack',
    severity: 'risk',
    fault: 'address-missing',
    how: 'fe80::a9fe:a9fe is deleted',
    inject: (ward) => loseAddress(ward, 'dual-1'),
  }),
]
