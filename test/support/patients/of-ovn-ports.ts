import { healthy, type OvnInjection } from './ovn-injection.ts'
import { BLUE, GUESTS, METADATA_PORTS, type OvnGuest, type OvnWard, RED } from './ovn-ward.ts'

const RED_1 = { patient: 'red-1', neighbour: 'red-2' } as const
const ALL_RED = { patient: 'red-1', neighbour: 'blue-1' } as const
const ALL_BLUE = { patient: 'blue-1', neighbour: 'red-1' } as const

const guest = (name: string) => GUESTS.find((each) => each.name === name) as OvnGuest
const ifaceId = (tap: string, id: string) => ['set', 'Interface', tap, `external_ids:iface-id=${id}`] as const

/** What is wrong with one guest or one network: `firstboot ovn-metadata-agent` in a cloud of Neutron’s. */
export const PORT_INJECTIONS: readonly OvnInjection[] = [
  {
    ...RED_1,
    fault: 'port-not-plugged',
    how: 'the interface of the guest loses its iface-id',
    inject: async (ward) => {
      await ward.neutrons.vsctl('remove', 'Interface', 'tap-red-1', 'external_ids', 'iface-id')
      await ward.bound('red-1', '')
    },
    heal: async (ward) => {
      await ward.neutrons.vsctl(...ifaceId('tap-red-1', 'red-1'))
      await healthy(ward, 'red-1')
    },
  },
  {
    ...RED_1,
    fault: 'interface-on-wrong-bridge',
    how: 'the interface of the guest is on another bridge than ovn-bridge',
    inject: async ({ neutrons, bound }) => {
      await neutrons.vsctl('add-br', 'br-old', '--', 'set', 'Bridge', 'br-old', 'datapath_type=netdev')
      await neutrons.vsctl('del-port', 'tap-red-1')
      await neutrons.vsctl('add-port', 'br-old', 'tap-red-1', '--', ...ifaceId('tap-red-1', 'red-1'))
      await bound('red-1', '')
    },
    heal: async (ward) => {
      await ward.neutrons.vsctl('del-br', 'br-old')
      await ward.neutrons.vsctl('add-port', 'br-int', 'tap-red-1', '--', ...ifaceId('tap-red-1', 'red-1'))
      await healthy(ward, 'red-1')
    },
  },
  {
    ...RED_1,
    fault: 'interface-broken',
    how: 'the interface of the guest is set down',
    inject: async ({ neutrons }) => {
      neutrons.machine.run('ip', 'link', 'set', 'tap-red-1', 'down')
      await neutrons.vsctl('wait-until', 'Interface', 'tap-red-1', 'admin_state=down')
    },
    heal: async (ward) => {
      ward.neutrons.machine.run('ip', 'link', 'set', 'tap-red-1', 'up')
      await healthy(ward, 'red-1')
    },
  },
  {
    ...RED_1,
    fault: 'iface-id-twice',
    how: 'another interface of this chassis claims the guest’s port',
    inject: ({ neutrons }) => addInternal(neutrons, 'copy', 'red-1'),
    heal: async (ward) => {
      await ward.neutrons.vsctl('del-port', 'copy')
      await healthy(ward, 'red-1')
    },
  },
  {
    ...RED_1,
    fault: 'port-contested',
    how: 'an interface of another chassis claims the guest’s port as well',
    inject: async (ward) => {
      await addInternal(ward.own, 'copy', 'red-1')
      await ward.bound('red-1', ward.own.name)
    },
    heal: async (ward) => {
      await ward.own.vsctl('del-port', 'copy')
      await healthy(ward, 'red-1')
    },
  },
  {
    ...RED_1,
    fault: 'port-requested-elsewhere',
    how: 'the port is to be bound to another chassis',
    inject: async ({ cloud, bound }) => {
      await cloud.nb('lsp-set-options', 'red-1', 'requested-chassis=chassis-1')
      await bound('red-1', '')
    },
    heal: async (ward) => {
      await ward.cloud.nb('lsp-set-options', 'red-1')
      await healthy(ward, 'red-1')
    },
  },
  {
    ...RED_1,
    fault: 'address-doubled',
    how: 'another port of the network has the guest’s address',
    inject: async (ward) => {
      // ovn-nbctl would refuse it.
      const twin = { ...guest('red-1'), name: 'twin', mac: 'fa:16:3e:00:01:77', address: '10.88.0.99' }
      await ward.addPort(twin, 'requested-chassis=chassis-2')
      const cidrs = 'external_ids:"neutron:cidrs"="10.88.0.11/24"'
      await ward.cloud.nb('set', 'Logical_Switch_Port', 'twin', cidrs)
      await ward.cloud.sync()
    },
    heal: async ({ cloud }) => {
      await cloud.nb('lsp-del', 'twin')
      await cloud.sync()
    },
  },
  {
    ...RED_1,
    fault: 'ovn-mtu-hole',
    how: 'the interface of the guest takes 1300 bytes',
    inject: async ({ neutrons }) => {
      neutrons.machine.run('ip', 'link', 'set', 'tap-red-1', 'mtu', '1300')
      await neutrons.vsctl('wait-until', 'Interface', 'tap-red-1', 'mtu=1300')
    },
    heal: async ({ neutrons }) => {
      neutrons.machine.run('ip', 'link', 'set', 'tap-red-1', 'mtu', '1442')
      await neutrons.vsctl('wait-until', 'Interface', 'tap-red-1', 'mtu=1442')
    },
  },
  {
    ...RED_1,
    fault: 'guest-route-missing',
    how: 'the guest has no route to 169.254.169.254',
    inject: ({ neutrons }) => neutrons.inGuest('red-1', 'ip', 'route', 'delete', '169.254.169.254/32'),
    heal: ({ neutrons }) => neutrons.inGuest('red-1', 'ip', 'route', 'add', '169.254.169.254/32', 'dev', 'eth0'),
  },
  {
    ...ALL_RED,
    fault: 'localport-taken',
    how: 'another interface has the metadata port’s iface-id',
    inject: ({ neutrons }) => addInternal(neutrons, 'stranger', `meta-${RED}`),
    heal: async (ward) => {
      await ward.neutrons.vsctl('del-port', 'stranger')
      await healthy(ward, 'red-1')
    },
  },
  {
    ...ALL_BLUE,
    fault: 'metadata-port-without-address',
    how: 'the metadata port has an address of another subnet',
    inject: (ward) => metadataCidrs(ward, '10.99.0.2/24'),
    heal: async (ward) => {
      await metadataCidrs(ward, '10.88.0.2/24')
      await healthy(ward, 'blue-1')
    },
  },
  {
    ...ALL_BLUE,
    fault: 'metadata-port-missing',
    how: 'somebody deletes the metadata port',
    inject: async ({ cloud }) => {
      await cloud.nb('lsp-del', `meta-${BLUE}`)
      await cloud.sync()
    },
    heal: async (ward) => {
      const { nb } = ward.cloud
      const { mac, cidrs, mtu } = METADATA_PORTS[1]
      const ids = { cidrs, device_id: `ovnmeta-${BLUE}`, device_owner: 'network:distributed', mtu: `${mtu}` }
      const set = Object.entries(ids).map(([key, value]) => `external_ids:"neutron:${key}"="${value}"`)
      await nb('lsp-add', `neutron-${BLUE}`, `meta-${BLUE}`, '--', 'lsp-set-type', `meta-${BLUE}`, 'localport')
      await nb('lsp-set-addresses', `meta-${BLUE}`, `${mac} 10.88.0.2`)
      await nb('set', 'Logical_Switch_Port', `meta-${BLUE}`, ...set)
      await healthy(ward, 'blue-1')
    },
  },
]

function addInternal({ vsctl }: OvnWard['own'], name: string, id: string): Promise<string> {
  return vsctl(
    'add-port',
    'br-int',
    name,
    '--',
    'set',
    'Interface',
    name,
    'type=internal',
    `external_ids:iface-id=${id}`,
  )
}

async function metadataCidrs({ cloud }: OvnWard, cidr: string): Promise<void> {
  const [, { mac }] = METADATA_PORTS
  await cloud.nb('lsp-set-addresses', `meta-${BLUE}`, `${mac} ${cidr.slice(0, cidr.indexOf('/'))}`)
  await cloud.nb('set', 'Logical_Switch_Port', `meta-${BLUE}`, `external_ids:"neutron:cidrs"="${cidr}"`)
  await cloud.sync()
}
