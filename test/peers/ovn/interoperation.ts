import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { Chassis } from '../../ovn/chassis.ts'
import { guest, networkId, openServedCloud, own, type ServedCloud, until } from '../../ovn/served-cloud.ts'
import type { OvsdbServer } from '../../ovsdb/ovsdb-server.ts'
import { type NeutronAgent, startNeutronAgent } from './neutron-agent.ts'

/*
 * `npm run test:peers -- --part ovn`, inside the sandbox.
 *
 *   chassis-1: red-1 (network red), nomad                           firstboot ovn-metadata-agent
 *   chassis-2: red-2 (network red)                                  neutron-ovn-metadata-agent, its haproxies
 *                           both ask the same Nova, and one Southbound
 */

/** The real one takes seconds to start, and a second a network. */
const NEUTRON_MILLISECONDS = 90_000

describe('firstboot and neutron-ovn-metadata-agent on two chassis of a cloud', () => {
  const RED = networkId('da5bb487')
  const red1 = guest('red-1', RED, '10.88.0.11')
  const red2 = guest('red-2', RED, '10.88.0.12')
  const nomad = guest('nomad', networkId('ad0ad'), '10.89.0.11')
  let served: ServedCloud<OvsdbServer>
  let neutron: NeutronAgent
  const ours = () => served.cloud.chassis[0]
  const theirs = () => served.cloud.chassis[1]
  const idsOf = ({ name }: Chassis) => served.cloud.sb('get', 'Chassis_Private', name, 'external_ids')

  before(async () => {
    served = await openServedCloud()
    neutron = startNeutronAgent(theirs(), served.cloud.southbound.remote, join(served.cloud.directory, 'neutron'))
    await served.startAgent(ours())
    await served.addNetwork(RED)
    await served.addNetwork(nomad.network, '10.89.0.2/24')
  })
  after(() => served?.close())

  /** Asks until the guest of this chassis is answered. @returns after how many milliseconds */
  async function answered(chassis: Chassis, it: typeof red1): Promise<number> {
    const began = performance.now()
    const want = `${own(it)} 200`
    const said = await until(
      () => served.ask(chassis, it, 1),
      (text) => text === want,
      NEUTRON_MILLISECONDS,
    )
    assert.equal(said, want, `${served.agentOf(ours()).said()}\n${neutron.said()}`)
    return Math.round(performance.now() - began)
  }

  it('register in the same way', async () => {
    assert.match(
      await until(
        () => idsOf(theirs()),
        (text) => text.includes('ovn-metadata-id'),
        NEUTRON_MILLISECONDS,
      ),
      /ovn-metadata-id/,
    )
    await served.cloud.sync() // Neutron's tells of the next change of nb_cfg only
    const [of1, of2] = await Promise.all(
      [ours(), theirs()].map(async (chassis) => {
        const text = await until(
          () => idsOf(chassis),
          (said) => said.includes('sb-cfg'),
        )
        return new Map(Array.from(text.matchAll(/"?([\w:-]+)"?="?([\w-]+)"?/g), ([, key, value]) => [key, value]))
      }),
    )
    assert.ok(of1 && of2)
    // neutron:ovn-bridge is of later releases than the one installed here.
    assert.deepEqual(
      [...of1.keys()].filter((key) => key !== 'neutron:ovn-bridge').sort(),
      [...of2.keys()].filter((key) => key !== 'neutron:ovn-bridge').sort(),
    )
    const uuid5 = /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
    for (const ids of [of1, of2]) {
      assert.match(ids.get('neutron:ovn-metadata-id') ?? '', uuid5)
      assert.match(ids.get('neutron:ovn-metadata-sb-cfg') ?? '', /^\d+$/)
    }
    assert.notEqual(of1.get('neutron:ovn-metadata-id'), of2.get('neutron:ovn-metadata-id'))
  })

  it('serve each its own chassis', async () => {
    await Promise.all([served.addGuest(ours(), red1), served.addGuest(theirs(), red2)])
    await Promise.all([answered(ours(), red1), answered(theirs(), red2)])
  })

  it('make the same namespace, veth pair and port', async () => {
    const of = async ({ machine, vsctl }: Chassis) => ({
      addresses: Array.from(
        machine.run('ip', '-n', `ovnmeta-${RED}`, '-o', '-4', 'address').matchAll(/^\d+: (tap\S+) +inet (\S+)/gm),
        ([, device, address]) => `${device} ${address}`,
      ).sort(),
      mac: /link\/ether (\S+)/.exec(machine.run('ip', '-n', `ovnmeta-${RED}`, 'link', 'show', 'tapda5bb487-51'))?.[1],
      routes: machine.run('ip', '-n', `ovnmeta-${RED}`, 'route').trimEnd(),
      ifaceId: /iface-id=("?)([^",}]+)\1/.exec(await vsctl('get', 'Interface', 'tapda5bb487-50', 'external_ids'))?.[2],
      listens: /\S+:80\b/.exec(machine.run('ip', 'netns', 'exec', `ovnmeta-${RED}`, 'ss', '-Hltn'))?.[0],
    })
    const [made, theirMade] = [await of(ours()), await of(theirs())]
    assert.deepEqual(made, theirMade)
    assert.equal(made.listens, '169.254.169.254:80')
  })

  for (const { name, from, to } of [
    { name: 'from Neutron’s chassis to ours', from: theirs, to: ours },
    { name: 'back from ours to Neutron’s', from: ours, to: theirs },
    { name: 'and to ours again', from: theirs, to: ours },
  ])
    it(`answer a guest that moves ${name}`, async (test) => {
      if (!served.namespaces(from()).includes('nomad')) {
        await served.addGuest(from(), nomad)
        await answered(from(), nomad)
      }
      await Promise.all([from().unplug(nomad.name), served.plug(to(), nomad)])
      test.diagnostic(`after ${await answered(to(), nomad)} ms`)
      const left = await until(
        () => served.namespaces(from()),
        (text) => !text.includes(nomad.network),
        NEUTRON_MILLISECONDS,
      )
      assert.ok(!left.includes(nomad.network), left)
      // What others keep on the other chassis was left alone.
      await Promise.all([answered(ours(), red1), answered(theirs(), red2)])
    })
})
