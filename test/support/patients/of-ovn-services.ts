import { healthy, type OvnInjection } from './ovn-injection.ts'
import { goOn, RED } from './ovn-ward.ts'

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
