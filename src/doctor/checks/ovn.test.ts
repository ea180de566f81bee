import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { healthy, OWN_INODE, STATE } from '../../../test/support/healthy-host.ts'
import type { Severity } from '../check.ts'
import { examineHost } from '../examine.ts'
import type { Facts } from '../facts.ts'
import { ovnChecks } from './ovn.ts'

const ovnHost = healthy.ovn ?? assert.fail()
const ovn = (rest: object): Facts => ({ ...healthy, ovn: { ...ovnHost, ...rest } })
const southbound = (rest: object) => ovn({ southbound: { ...ovnHost.southbound, ...rest } })
const chassis = (rest: object) =>
  ovn({ chassis: { value: { ...('value' in ovnHost.chassis ? ovnHost.chassis.value : {}), ...rest } } })

const neutrons = { pid: 50, arguments: ['python3', '/usr/bin/neutron-ovn-metadata-agent'], netnsInode: OWN_INODE }
const ours = { pid: 3, arguments: [], netnsInode: OWN_INODE, command: 'ovn-metadata-agent' }
const besideNeutrons: Facts = {
  ...healthy,
  neighbours: { value: { dnsmasq: [], firstboots: [ours], neutronAgents: [neutrons] } },
}

type Fault = readonly [name: string, facts: Facts, check: string, severity: Severity, says: RegExp]

const faults: readonly Fault[] = [
  [
    'no Open vSwitch',
    ovn({ local: { remote: 'unix:/x', problem: 'connect ENOENT /x' } }),
    'ovn/switch-database',
    'error',
    /ENOENT.*openvswitch-switch/s,
  ],
  ['no switch', ovn({ programs: { value: new Set(['ovn-controller']) } }), 'ovn/switch', 'error', /does not/],
  ['no ovn-controller', ovn({ programs: { value: new Set(['ovs-vswitchd']) } }), 'ovn/controller', 'error', /ovn-host/],
  ['a chassis without a name', chassis({ systemId: undefined }), 'ovn/system-id', 'error', /system-id/],
  ['nobody who knows the Southbound', southbound({ remote: undefined }), 'ovn/southbound', 'error', /ovn-remote/],
  ['a Southbound that is away', southbound({ problem: 'no route' }), 'ovn/southbound', 'error', /no route/],
  [
    'an old Southbound',
    southbound({ lacks: { value: ['Port_Binding.additional_chassis'] } }),
    'ovn/schema',
    'warning',
    /additional_chassis/,
  ],
  ['another integration bridge', chassis({ datapathType: undefined }), 'ovn/bridge', 'error', /no bridge br-int/],
  ['a kernel without Open vSwitch', ovn({ hasKernelModule: false }), 'ovn/datapath', 'error', /modprobe openvswitch/],
  ['two agents of OVN', besideNeutrons, 'ovn/agents', 'error', /kill 50/],
  ['what neutron’s agent left', ovn({ foreignNamespaces: ['ovnmeta-n'] }), 'ovn/leftovers', 'warning', /ovnmeta-n/],
  [
    'a port of a run that was killed',
    chassis({ ports: [{ name: 'tap0', statePath: '/gone', isThere: true }] }),
    'ovn/leftovers',
    'warning',
    /del-port tap0/,
  ],
  [
    'a port without its device',
    chassis({ ports: [{ name: 'tap0', statePath: STATE, isThere: false }] }),
    'ovn/leftovers',
    'warning',
    /no device/,
  ],
]

/** What is told of OVN; that an agent of Neutron runs is told for other reasons, too. */
const toldOf = (facts: Facts) =>
  examineHost(facts).filter(({ check, severity }) => severity !== 'ok' && check !== 'clashes/neutron')

describe('a chassis of OVN with', () => {
  for (const [name, facts, check, severity, says] of faults)
    it(`${name} has that named, and nothing else`, () => {
      const told = toldOf(facts)
      assert.deepEqual(
        told.map((each) => [each.check, each.severity]),
        [[check, severity]],
      )
      assert.match(told.map(({ observed, mend }) => `${observed}\n${mend}`).join('\n'), says)
    })

  it('any of its checks failing is tried above', () => {
    const tried = new Set(faults.map(([, , check]) => check))
    assert.deepEqual(
      ovnChecks.map(({ name }) => name).filter((name) => !tried.has(name)),
      [],
    )
  })
})

it('nothing is said of OVN where it is not', () => {
  const examined = examineHost({ ...healthy, ovn: undefined })
  assert.deepEqual(
    examined.filter(({ check }) => check.startsWith('ovn/')),
    [],
  )
})
