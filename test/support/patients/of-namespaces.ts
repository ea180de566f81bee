import { firstboot } from '../daemon.ts'
import { eventually } from '../eventually.ts'
import {
  device,
  dnsmasqOf,
  drop,
  type Injection,
  inside,
  keep,
  listen,
  METADATA,
  qdhcp,
  router,
  WHOLE_DHCP,
  WHOLE_ROUTER,
  whileAsleep,
} from './injection.ts'
import type { Ward } from './ward.ts'

/** What is wrong where many guests’ packets pass. */
export const NAMESPACE_INJECTIONS: readonly Injection[] = [
  {
    ...WHOLE_DHCP,
    fault: 'packets-dropped',
    how: 'a rule in the namespace drops port 80',
    inject: (ward) => inside(ward, 'iptables', '-I', 'INPUT', '-p', 'tcp', '--dport', '80', '-j', 'DROP'),
    heal: (ward) => inside(ward, 'iptables', '-F', 'INPUT'),
  },
  {
    ...WHOLE_ROUTER,
    fault: 'packets-dropped',
    how: 'a rule in the raw table of the router drops port 80',
    inject: (ward) => dropRule(ward, '-I'),
    heal: (ward) => dropRule(ward, '-D'),
  },
  whileAsleep({
    ...WHOLE_ROUTER,
    fault: 'rule-missing',
    how: 'the redirection to the proxy is deleted',
    inject: (ward) => ward.within(router(ward), 'iptables', '-t', 'nat', '-F', LINE),
  }),
  whileAsleep({
    ...WHOLE_ROUTER,
    fault: 'sysctl-changed',
    how: 'ip_forward is switched off',
    inject: (ward) => ward.within(router(ward), 'sysctl', '-qw', 'net.ipv4.ip_forward=0'),
  }),
  whileAsleep({
    ...WHOLE_DHCP,
    fault: 'address-missing',
    how: 'the metadata address is deleted',
    inject: (ward) => inside(ward, 'ip', 'address', 'delete', `${METADATA}/32`, 'dev', device(ward)),
  }),
  whileAsleep({
    ...WHOLE_DHCP,
    fault: 'device-missing',
    how: 'the device of the namespace is deleted',
    inject: (ward) => inside(ward, 'ip', 'link', 'delete', device(ward)),
  }),
  whileAsleep({
    ...WHOLE_DHCP,
    fault: 'bridge-missing',
    how: 'the bridge is set down',
    inject: (ward) => ward.run('ip', 'link', 'set', ward.patient('iso-1').bridge, 'down'),
  }),
  whileAsleep({
    ...WHOLE_DHCP,
    fault: 'namespace-missing',
    how: 'ip netns delete',
    inject: (ward) => ward.run('ip', 'netns', 'delete', qdhcp(ward)),
  }),
  whileAsleep({
    ...WHOLE_DHCP,
    fault: 'dad-failed',
    how: 'a guest has fe80::a9fe:a9fe',
    inject: async (ward) => {
      inside(ward, 'ip', 'address', 'delete', 'fe80::a9fe:a9fe/64', 'dev', device(ward))
      ward.run('ip', '-n', 'iso-2', 'address', 'add', 'fe80::a9fe:a9fe/64', 'dev', 'eth0', 'nodad')
      inside(ward, 'ip', 'address', 'add', 'fe80::a9fe:a9fe/64', 'dev', device(ward))
      await eventually('the address is refused', () => inside(ward, 'ip', '-6', 'address').includes('dadfailed'))
    },
    heal: (ward) => {
      ward.run('ip', '-n', 'iso-2', 'address', 'delete', 'fe80::a9fe:a9fe/64', 'dev', 'eth0')
      inside(ward, 'ip', 'address', 'delete', 'fe80::a9fe:a9fe/64', 'dev', device(ward))
    },
  }),
  whileAsleep({
    ...WHOLE_DHCP,
    fault: 'option-121-missing',
    how: 'the file of DHCP options is edited by hand',
    inject: (ward) => {
      const directory = `${ward.state}/dhcp/${qdhcp(ward).slice(6)}`
      ward.run('sed', '-i.kept', '/classless-static-route/d', `${directory}/opts`)
      ward.run('kill', '-HUP', dnsmasqOf(ward))
    },
    heal: (ward) => {
      const directory = `${ward.state}/dhcp/${qdhcp(ward).slice(6)}`
      ward.run('mv', `${directory}/opts.kept`, `${directory}/opts`)
      ward.run('kill', '-HUP', dnsmasqOf(ward))
    },
  }),
  {
    ...WHOLE_DHCP,
    fault: 'dnsmasq-dead',
    how: 'killed, and its port taken, so that it cannot be started again',
    inject: (ward) => {
      ward.asleep()
      ward.run('kill', '-KILL', dnsmasqOf(ward))
      keep(ward, 'udp 67', 'ip', 'netns', 'exec', qdhcp(ward), ...listen('udp', '67', '0.0.0.0'))
      return eventually('the port is taken', () => inside(ward, 'ss', '-Hlun').includes(':67 ')).then(() =>
        ward.awake(),
      )
    },
    heal: async (ward) => {
      drop(ward, 'udp 67')
      await eventually('dnsmasq runs', () => inside(ward, 'ss', '-Hlunp').includes('dnsmasq'))
    },
  },
  {
    ...WHOLE_DHCP,
    fault: 'dhcp-stranger',
    how: 'a guest answers DHCP',
    inject: (ward) => {
      const range = [
        '--dhcp-range=10.3.0.200,10.3.0.210',
        '--dhcp-authoritative',
        '--no-ping',
        '--interface=eth0',
        '--bind-interfaces',
      ]
      const files = ['--port=0', '--leasefile-ro', '--conf-file=/dev/null', '--pid-file=', '--user=root']
      keep(ward, 'dhcp-authoritative', 'ip', 'netns', 'exec', 'iso-2', 'dnsmasq', '-k', ...files, ...range)
      return eventually('it listens', () => ward.within('iso-2', 'ss', '-Hlun').includes(':67 '))
    },
    heal: (ward) => drop(ward, 'dhcp-authoritative'),
  },
  {
    ...WHOLE_DHCP,
    fault: 'foreign-listener',
    how: 'another program has port 80',
    inject: async (ward) => {
      set(ward, 'enable_isolated_metadata=false')
      keep(ward, 'http 80', 'ip', 'netns', 'exec', qdhcp(ward), ...listen('http', '80', '0.0.0.0'))
      await eventually('it listens', () => inside(ward, 'ss', '-Hltn').includes(':80 '))
      set(ward, 'enable_isolated_metadata=true')
    },
    heal: async (ward) => {
      drop(ward, 'http 80')
      await eventually('we listen', () => inside(ward, 'ss', '-Hltn').includes(`${METADATA}:80 `))
    },
  },
]

const LINE = 'neutron-l3-agent-PREROUTING'

function set(ward: Ward, assignment: string): void {
  ward.run(...firstboot('datapath', 'set', assignment, '-s', ward.state))
}

/** @param change  `-I` puts the rule in, `-D` takes it out */
function dropRule(ward: Ward, change: '-I' | '-D'): void {
  const rule = 'PREROUTING -p tcp --dport 80 -j DROP'.split(' ')
  ward.within(router(ward), 'iptables', '-t', 'raw', change, ...rule)
}
