import { NETWORK, PROJECT, SERVER } from './installed-package.ts'
import type { PackagedRoot } from './packaged-root.ts'

/** The logical port of `web-1`. */
export const OVN_PORT = '33333333-3333-4333-8333-333333333333'

const SWITCH = `neutron-${NETWORK}`
const ENTITIES = [
  ['Logical_Switch', SWITCH, { 'neutron:network_name': 'office' }],
  [
    'Logical_Switch_Port',
    `meta-${NETWORK}`,
    {
      'neutron:cidrs': '192.168.50.2/24',
      'neutron:device_id': `ovnmeta-${NETWORK}`,
      'neutron:device_owner': 'network:distributed',
    },
  ],
  [
    'Logical_Switch_Port',
    OVN_PORT,
    {
      'neutron:cidrs': `${SERVER.address}/24`,
      'neutron:device_id': SERVER.id,
      'neutron:device_owner': 'compute:nova',
      'neutron:project_id': PROJECT,
    },
  ],
] as const

/** Debian's Open vSwitch and OVN, by their own units but for the switch, whose unit wants a module of the kernel; on them the
 *  network and the server of the inventory, as ML2/OVN writes them. */
export function startOvn(root: PackagedRoot): void {
  root.run('systemctl', 'start', 'ovsdb-server', 'ovn-ovsdb-server-nb', 'ovn-ovsdb-server-sb', 'ovn-northd')
  root.run('ovs-vswitchd', '--disable-system', '--detach', '--pidfile', '--log-file', '-vconsole:off')
  const vsctl = (...words: readonly string[]) => root.run('ovs-vsctl', '--timeout=20', ...words)
  const chassis = {
    'system-id': 'chassis-1',
    hostname: 'chassis-1',
    'ovn-remote': 'unix:/run/ovn/ovnsb_db.sock',
    'ovn-encap-type': 'geneve',
    'ovn-encap-ip': '127.0.0.1',
  }
  vsctl('set', 'Open_vSwitch', '.', ...Object.entries(chassis).map(([key, value]) => `external_ids:${key}="${value}"`))
  vsctl('--may-exist', 'add-br', 'br-int', '--', 'set', 'Bridge', 'br-int', 'datapath_type=netdev', 'fail-mode=secure')
  root.run('systemctl', 'start', 'ovn-controller')
  const nbctl = (...words: readonly string[]) => root.run('ovn-nbctl', '--timeout=20', ...words)
  nbctl('ls-add', SWITCH)
  nbctl('lsp-add', SWITCH, `meta-${NETWORK}`, '--', 'lsp-set-type', `meta-${NETWORK}`, 'localport')
  nbctl('lsp-set-addresses', `meta-${NETWORK}`, 'fa:16:3e:00:00:02 192.168.50.2')
  nbctl('lsp-add', SWITCH, OVN_PORT, '--', 'lsp-set-addresses', OVN_PORT, `${SERVER.mac} ${SERVER.address}`)
  for (const [table, name, ids] of ENTITIES)
    nbctl('set', table, name, ...Object.entries(ids).map(([key, value]) => `external_ids:"${key}"="${value}"`))
}
