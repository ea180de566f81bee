import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { OvsdbServer } from '../ovsdb/ovsdb-server.ts'
import { noSandbox } from '../support/datapath-machine.ts'
import { type Guest, guest, networkId, openServedCloud, type ServedCloud, until } from './served-cloud.ts'

// Each part of OVN around the agent is restarted while a guest goes on asking; then a network comes that it has to hear of.

type Served = ServedCloud<OvsdbServer>

interface Restart {
  readonly name: string
  /** What is away, or wrong, while the guest that is known goes on being served. */
  readonly fall: (served: Served) => Promise<unknown>
  readonly rise: (served: Served) => Promise<unknown>
  /** No guest can be answered meanwhile, but none is told that it is nobody. The switch is silent without its database, too. */
  readonly isSilent?: true
}

const chassisOf = ({ cloud }: Pick<Served, 'cloud'>) => cloud.chassis[0]

const RESTARTS: readonly Restart[] = [
  {
    name: 'ovn-northd',
    fall: ({ cloud }) => cloud.northd.kill(),
    rise: async ({ cloud }) => cloud.northd.start(),
  },
  {
    name: 'the Southbound database',
    fall: ({ cloud }) => cloud.southbound.kill(),
    rise: ({ cloud }) => cloud.southbound.start(),
  },
  {
    name: 'the local ovsdb-server',
    fall: (served) => chassisOf(served).kill('ovsdb-server'),
    rise: (served) => chassisOf(served).start('ovsdb-server'),
    isSilent: true,
  },
  {
    name: 'ovs-vswitchd',
    fall: (served) => chassisOf(served).kill('ovs-vswitchd'),
    rise: (served) => chassisOf(served).start('ovs-vswitchd'),
    isSilent: true,
  },
  {
    name: 'ovn-controller, killed so that its chassis stays,',
    fall: (served) => chassisOf(served).kill('ovn-controller'),
    rise: (served) => chassisOf(served).start('ovn-controller'),
  },
  {
    name: 'ovn-controller, ended so that its chassis goes,',
    fall: async ({ cloud }) => {
      const run = join(cloud.directory, 'chassis-1')
      const pid = readFileSync(join(run, 'ovn-controller.pid'), 'ascii').trim()
      await chassisOf({ cloud }).output('ovs-appctl', '-t', join(run, `ovn-controller.${pid}.ctl`), 'exit')
      const chassis = () => cloud.sb('--bare', '--columns=name', 'list', 'Chassis')
      assert.doesNotMatch(await until(chassis, (names) => !names.includes('chassis-1')), /chassis-1/)
    },
    rise: (served) => chassisOf(served).start('ovn-controller'),
    isSilent: true,
  },
]

describe('the OVN metadata agent beside a part of OVN that restarts', { skip: noSandbox }, () => {
  const resident = guest('resident', networkId('4e510e47'))
  let served: Served
  const one = () => served.cloud.chassis[0]

  before(async () => {
    served = await openServedCloud()
    await served.addNetwork(resident.network)
    await served.startAgent(one())
    await served.addGuest(one(), resident)
    await served.getsAnswer(one(), resident)
  })
  after(() => served?.close())

  async function servesANewcomer(it: Guest): Promise<void> {
    await served.addNetwork(it.network)
    await served.addGuest(one(), it)
    await served.getsAnswer(one(), it)
    await served.forget(one(), it)
    const left = await until(
      () => served.namespaces(one()),
      (text) => !text.includes(it.network),
    )
    assert.ok(!left.includes(it.network), left)
  }

  for (const [i, { name, fall, rise, isSilent }] of RESTARTS.entries())
    it(`${name} serves on, and then what is new`, async () => {
      await fall(served)
      if (isSilent) assert.doesNotMatch(await served.ask(one(), resident, 1.5), / 4\d\d$/)
      else await served.getsAnswer(one(), resident)
      await rise(served)
      await served.getsAnswer(one(), resident)
      await servesANewcomer(guest(`new-${i}`, networkId(`${i}e77c0e5`)))
      assert.ok(served.namespaces(one()).includes(resident.network))
    })
})
