import { healthy, type OvnInjection } from './ovn-injection.ts'
import { goOn, type OvnWard, RED } from './ovn-ward.ts'

/** What is wrong with those on whom all guests of a chassis depend; the last is not healed. */
export const SERVICE_INJECTIONS: readonly OvnInjection[] = [
  {
    patient: 'red-1',
    fault: 'signature-mismatch',
    how: 'Nova has another shared secret',
    inject: ({ nova }) => nova.believe('another'),
    heal: ({ nova }) => nova.believe('ovn-secret'),
  },
  {
    patient: 'red-1',
    fault: 'northd-dead',
    how: 'ovn-northd has ended',
    inject: (ward) => ward.endNorthd(),
    heal: async (ward) => {
      ward.startNorthd()
      await ward.cloud.sync()
    },
  },
  {
    patient: 'red-1',
    fault: 'ovn-controller-dead',
    how: 'ovn-controller is killed',
    inject: ({ neutrons }) => neutrons.kill('ovn-controller'),
    heal: async (ward) => {
      await ward.neutrons.start('ovn-controller')
      await ward.cloud.sync()
      await healthy(ward, 'red-1')
    },
  },
  {
    patient: 'red-1',
    fault: 'ovn-controller-dead',
    how: 'ovn-controller has ended, and taken the chassis out of the Southbound',
    inject: async ({ neutrons, cloud }) => {
      await neutrons.kill('ovn-controller')
      await cloud.sb('chassis-del', neutrons.name)
    },
    heal: async (ward) => {
      await ward.neutrons.start('ovn-controller')
      await ward.cloud.sync()
      await healthy(ward, 'red-1')
    },
  },
  {
    patient: 'red-1',
    fault: 'port-not-claimed',
    also: ['chassis-behind'],
    how: 'ovn-controller hangs, and the port is unbound meanwhile',
    inject: async ({ neutrons, cloud, bound }) => {
      neutrons.freeze('ovn-controller', true)
      await cloud.sb('lsp-unbind', 'red-1')
      await cloud.nb('--wait=sb', 'sync')
      await bound('red-1', '')
    },
    heal: goesOn,
  },
  {
    patient: 'red-1',
    fault: 'chassis-missing',
    also: ['bridge-not-there'],
    how: 'ovn-controller hangs; somebody deletes the chassis, and sets ovn-bridge to one that is not there',
    inject: async ({ neutrons, cloud }) => {
      neutrons.freeze('ovn-controller', true)
      await cloud.sb('chassis-del', neutrons.name)
      await neutrons.vsctl('--no-wait', 'set', 'Open_vSwitch', '.', 'external_ids:ovn-bridge=br-gone')
    },
    heal: async (ward) => {
      await ward.neutrons.vsctl('--no-wait', 'remove', 'Open_vSwitch', '.', 'external_ids', 'ovn-bridge')
      await goesOn(ward)
    },
  },
  {
    patient: 'red-1',
    fault: 'chassis-unnamed',
    also: ['southbound-unknown'],
    how: 'somebody takes system-id and ovn-remote away, while ovn-controller hangs',
    inject: async ({ neutrons }) => {
      neutrons.freeze('ovn-controller', true)
      for (const key of ['system-id', 'ovn-remote'])
        await neutrons.vsctl('--no-wait', 'remove', 'Open_vSwitch', '.', 'external_ids', key)
    },
    heal: async (ward) => {
      const { neutrons, cloud } = ward
      const ids = { 'system-id': neutrons.name, 'ovn-remote': cloud.southbound.remote }
      const settings = Object.entries(ids).map(([key, value]) => `external_ids:${key}="${value}"`)
      await neutrons.vsctl('--no-wait', 'set', 'Open_vSwitch', '.', ...settings)
      await goesOn(ward)
    },
  },
  {
    patient: 'red-1',
    fault: 'vswitchd-dead',
    how: 'ovs-vswitchd is killed',
    inject: ({ neutrons }) => neutrons.kill('ovs-vswitchd'),
    heal: async (ward) => {
      await ward.neutrons.start('ovs-vswitchd')
      await healthy(ward, 'red-1')
    },
  },
  {
    patient: 'red-1',
    fault: 'southbound-unreachable',
    how: 'the server of the Southbound is killed',
    inject: ({ cloud }) => cloud.southbound.kill(),
    heal: async (ward) => {
      await ward.cloud.southbound.start()
      await ward.cloud.sync()
      await healthy(ward, 'red-1')
    },
  },
  {
    patient: 'red-1',
    fault: 'switch-database-unreachable',
    how: 'the server of the local database is killed',
    inject: ({ neutrons }) => neutrons.kill('ovsdb-server'),
    heal: async (ward) => {
      await ward.neutrons.start('ovsdb-server')
      await ward.cloud.sync()
      await healthy(ward, 'red-1')
    },
  },
  {
    patient: 'red-1',
    fault: 'daemon-stuck',
    how: 'the agent is stopped, which answers guests itself here',
    inject: (ward) => ward.agent().signal('SIGSTOP'),
    heal: async (ward) => {
      goOn(ward.agent())
      await healthy(ward, 'red-1')
    },
  },
  {
    patient: 'red-1',
    fault: 'not-running',
    how: 'the agent is killed, and the port of its veth deleted',
    inject: async (ward) => {
      await ward.agent().end('SIGKILL')
      await ward.neutrons.vsctl('del-port', `tap${RED.slice(0, 10)}0`)
    },
    heal: async (ward) => {
      await ward.startAgent()
      await healthy(ward, 'red-1')
    },
  },
  {
    patient: 'red-1',
    fault: 'api-down',
    how: 'Nova has ended',
    inject: ({ nova }) => nova.close(),
    heal: () => undefined, // the last
  },
]

/** ovn-controller, and all is well again. */
async function goesOn(ward: OvnWard): Promise<void> {
  ward.neutrons.freeze('ovn-controller', false)
  await ward.cloud.sync()
  await healthy(ward, 'red-1')
}
