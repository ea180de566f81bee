import type { OvnInjection } from './ovn-injection.ts'
import { METADATA_PORTS, type OvnWard, RED, SIX } from './ovn-ward.ts'

const RED_1 = { patient: 'red-1', neighbour: 'red-2' } as const
const ALL_RED = { patient: 'red-1', neighbour: 'blue-1' } as const
const ALL_BLUE = { patient: 'blue-1', neighbour: 'red-1' } as const

/** What OVN's flows make of a guest's packets, and what its DHCP says: in a cloud of Neutron’s, too. */
export const FLOW_INJECTIONS: readonly OvnInjection[] = [
  {
    ...RED_1,
    fault: 'acl-drops',
    how: 'a security rule drops what the guest asks 169.254.169.254',
    inject: acl('from-lport', 'inport=="red-1" && ip4.dst==169.254.169.254'),
    heal: ({ cloud }) => noAcl(cloud, RED),
  },
  {
    ...RED_1,
    fault: 'acl-drops',
    how: 'a security rule drops the answer',
    inject: acl('to-lport', 'outport=="red-1" && ip4.src==169.254.169.254'),
    heal: ({ cloud }) => noAcl(cloud, RED),
  },
  {
    patient: 'six-1',
    neighbour: 'both-1',
    fault: 'acl-drops',
    how: 'a security rule drops what guests ask fe80::a9fe:a9fe, which only those without IPv4 need',
    inject: acl('from-lport', 'ip6.dst==fe80::a9fe:a9fe', SIX),
    heal: ({ cloud }) => noAcl(cloud, SIX),
  },
  {
    ...RED_1,
    fault: 'flows-drop',
    also: ['metadata-port-doubled', 'ovn-dhcp-missing'],
    how: 'port security knows another MAC address, the port has no DHCP options, and the network a second metadata port',
    inject: async ({ cloud }) => {
      await cloud.nb('lsp-set-port-security', 'red-1', 'fa:16:3e:00:99:99 10.88.0.11')
      await cloud.nb('lsp-set-dhcpv4-options', 'red-1')
      await cloud.nb('lsp-add', `neutron-${RED}`, 'second', '--', 'lsp-set-type', 'second', 'localport')
      const owner = 'external_ids:"neutron:device_owner"="network:distributed"'
      await cloud.nb('set', 'Logical_Switch_Port', 'second', owner)
      await cloud.sync()
    },
    heal: async ({ cloud }) => {
      const options = await cloud.nb('--bare', '--columns=dhcpv4_options', 'list', 'Logical_Switch_Port', 'red-2')
      await cloud.nb('lsp-del', 'second')
      await cloud.nb('lsp-set-port-security', 'red-1')
      await cloud.nb('lsp-set-dhcpv4-options', 'red-1', options)
      await cloud.sync()
    },
  },
  {
    ...ALL_RED,
    fault: 'trace-astray',
    how: 'ovn-northd hangs, and a flow sends what is for the metadata port to a guest',
    inject: async ({ cloud }) => {
      cloud.northd.freeze(true)
      const [{ mac }] = METADATA_PORTS
      const lookUp = ['external_ids:stage-name=ls_in_l2_lkup', `match="eth.dst == ${mac}"`]
      const flow = await cloud.sb('--bare', '--columns=_uuid', 'find', 'Logical_Flow', ...lookUp)
      await cloud.sb('set', 'Logical_Flow', flow, String.raw`actions="outport = \"red-2\"; output;"`)
    },
    heal: async ({ cloud }) => {
      cloud.northd.freeze(false)
      await cloud.sync()
    },
  },
  {
    ...ALL_BLUE,
    fault: 'metadata-route-missing',
    how: 'option 121 of the network’s DHCP options is taken away',
    inject: (ward) => routes(ward, ''),
    heal: (ward) => routes(ward, '{169.254.169.254/32,10.88.0.2, 0.0.0.0/0,10.88.0.1}'),
  },
  {
    ...ALL_BLUE,
    fault: 'metadata-route-missing',
    how: 'option 121 sends 169.254.169.254 to an address that is not the metadata port’s',
    inject: (ward) => routes(ward, '{169.254.169.254/32,10.88.0.3, 0.0.0.0/0,10.88.0.1}'),
    heal: (ward) => routes(ward, '{169.254.169.254/32,10.88.0.2, 0.0.0.0/0,10.88.0.1}'),
  },
]

function acl(direction: string, match: string, network: string = RED): OvnInjection['inject'] {
  return async ({ cloud }) => {
    await cloud.nb('acl-add', `neutron-${network}`, direction, '1001', match, 'drop')
    await cloud.sync()
  }
}

async function noAcl({ nb, sync }: OvnWard['cloud'], network: string): Promise<void> {
  await nb('acl-del', `neutron-${network}`)
  await sync()
}

/** Of blue's DHCP options. */
async function routes({ cloud }: OvnWard, value: string): Promise<void> {
  const row = await cloud.nb('--bare', '--columns=dhcpv4_options', 'list', 'Logical_Switch_Port', 'blue-1')
  if (value === '') await cloud.nb('remove', 'DHCP_Options', row, 'options', 'classless_static_route')
  else await cloud.nb('set', 'DHCP_Options', row, `options:classless_static_route="${value}"`)
  await cloud.sync()
}
