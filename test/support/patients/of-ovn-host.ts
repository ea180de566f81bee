import type { OvnInjection } from './ovn-injection.ts'
import { answered, goOn, type OvnWard } from './ovn-ward.ts'

const ALL_SHOP = { patient: 'shop-1', neighbour: 'yard-1' } as const

type HostInjection = Pick<OvnInjection, 'fault' | 'also' | 'how' | 'inject'> & Partial<Pick<OvnInjection, 'heal'>>

/** Namespace, veth and port, where nobody repairs them: `firstboot up --datapath ovn` is stopped meanwhile. */
export const HOST_INJECTIONS: readonly OvnInjection[] = [
  {
    fault: 'switch-port-missing',
    how: 'the port of the veth is deleted',
    inject: (ward: OvnWard) => ward.own.vsctl('del-port', veth(ward, 0)),
  },
  {
    fault: 'switch-port-missing',
    how: 'the interface of the veth loses its iface-id',
    inject: (ward: OvnWard) => ward.own.vsctl('remove', 'Interface', veth(ward, 0), 'external_ids', 'iface-id'),
  },
  {
    fault: 'veth-down',
    how: 'the end of the veth in the namespace is set down',
    inject: (ward: OvnWard) => inside(ward, 'ip', 'link', 'set', veth(ward, 1), 'down'),
  },
  {
    fault: 'veth-down',
    how: 'the end of the veth at the switch is set down',
    inject: (ward: OvnWard) => ward.own.machine.run('ip', 'link', 'set', veth(ward, 0), 'down'),
  },
  {
    fault: 'ovn-mtu-hole',
    how: 'the veth takes 1300 bytes',
    inject: (ward: OvnWard) => inside(ward, 'ip', 'link', 'set', veth(ward, 1), 'mtu', '1300'),
  },
  {
    fault: 'address-missing',
    how: 'the metadata address is deleted',
    inject: (ward: OvnWard) => inside(ward, 'ip', 'address', 'delete', '169.254.169.254/32', 'dev', veth(ward, 1)),
  },
  {
    fault: 'veth-missing',
    how: 'the veth pair is deleted',
    inject: (ward: OvnWard) => ward.own.machine.run('ip', 'link', 'delete', veth(ward, 0)),
  },
  {
    fault: 'namespace-missing',
    how: 'ip netns delete',
    inject: (ward: OvnWard) => ward.own.machine.run('ip', 'netns', 'delete', netns(ward)),
  },
  {
    fault: 'switch-port-broken',
    also: ['checksums-left', 'northbound-unreachable'],
    how: 'the interface of the veth has a type that Open vSwitch does not know; it leaves checksums to others; the Northbound is away',
    inject: async (ward: OvnWard) => {
      await ward.cloud.northbound.kill()
      ward.own.machine.run('ethtool', '-K', veth(ward, 0), 'tx', 'on')
      await ward.own.vsctl('--no-wait', 'set', 'Interface', veth(ward, 0), 'type=nonsense')
      await ward.own.vsctl('wait-until', 'Interface', veth(ward, 0), 'ofport=-1')
    },
    heal: async (ward: OvnWard) => {
      await ward.cloud.northbound.start()
      await ward.own.vsctl('del-port', veth(ward, 0))
    },
  },
  {
    fault: 'port-unknown-to-ovn',
    also: ['northd-behind'],
    how: 'somebody deletes the port from the Northbound; then ovn-northd hangs',
    inject: async ({ cloud, idOf }: OvnWard) => {
      await cloud.nb('lsp-del', idOf('shop-1'))
      await cloud.sync()
      cloud.northd.freeze(true)
      const behind = Number(await cloud.nb('get', 'NB_Global', '.', 'nb_cfg')) + 2
      await cloud.nb('set', 'NB_Global', '.', `nb_cfg=${behind}`)
    },
    heal: ({ cloud }: OvnWard) => cloud.northd.freeze(false),
  },
].map(({ inject, heal, ...row }: HostInjection) => ({
  ...row,
  ...ALL_SHOP,
  inject: async (ward) => {
    ward.up().signal('SIGSTOP')
    await inject(ward)
  },
  heal: async (ward) => {
    await heal?.(ward)
    goOn(ward.up())
    await answered(ward, 'shop-1')
  },
}))

function netns(ward: OvnWard): string {
  return `ovnmeta-${ward.networkOf('shop-1')}`
}

/** The veth of shop: 0 is the end at the switch, 1 that in the namespace. */
function veth(ward: OvnWard, end: 0 | 1): string {
  return `tap${ward.networkOf('shop-1').slice(0, 10)}${end}`
}

function inside(ward: OvnWard, ...command: readonly string[]): string {
  return ward.own.machine.run('ip', 'netns', 'exec', netns(ward), ...command)
}
