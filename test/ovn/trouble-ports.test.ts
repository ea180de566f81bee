import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { OvsdbServer } from '../ovsdb/ovsdb-server.ts'
import { noSandbox } from '../support/datapath-machine.ts'
import type { Chassis } from './chassis.ts'
import { guest, networkId, openServedCloud, own, type ServedCloud, until } from './served-cloud.ts'

// Ports that come, move, change and go in ways that leave no tidy row of events behind, on two chassis with an agent each.

describe('the OVN metadata agent and ports in motion', { skip: noSandbox }, () => {
  let served: ServedCloud<OvsdbServer>
  const one = () => served.cloud.chassis[0]
  const two = () => served.cloud.chassis[1]
  const nb = (...args: readonly string[]) => served.cloud.nb(...args)

  before(async () => {
    served = await openServedCloud()
    await Promise.all(served.cloud.chassis.map((chassis) => served.startAgent(chassis)))
  })
  after(() => served?.close())

  async function isGone(chassis: Chassis, network: string): Promise<void> {
    const text = await until(
      () => served.namespaces(chassis),
      (said) => !said.includes(network),
    )
    assert.ok(!text.includes(network), text)
  }

  /** As a proxy on the chassis would ask for a guest whose packets do not flow yet. */
  function askFor(chassis: Chassis, network: string, address: string): Promise<string> {
    const fields = [`X-OVN-Network-ID: ${network}`, `X-Forwarded-For: ${address}`].flatMap((field) => ['-H', field])
    const socket = ['--unix-socket', `${served.stateOf(chassis)}/run/metadata_proxy`]
    return chassis.output('curl', '-sS', '--max-time', '12', ...socket, ...fields, 'http://x/openstack')
  }

  describe('a guest that moves without a word', () => {
    const nomad = guest('nomad', networkId('ad0ad'))
    before(async () => {
      await served.addNetwork(nomad.network)
      await served.addGuest(one(), nomad)
      await served.getsAnswer(one(), nomad)
    })

    for (const { name, from, to } of [
      { name: 'away', from: one, to: two },
      { name: 'and back', from: two, to: one },
    ])
      it(`${name} is served where it is now, and no longer where it was`, async () => {
        // The port's row is never deleted: its chassis changes, or is none for a moment.
        await Promise.all([from().unplug(nomad.name), served.plug(to(), nomad)])
        await served.getsAnswer(to(), nomad)
        await isGone(from(), nomad.network)
      })

    it('and is claimed by both chassis for a while, as when the old one was cut off, is served by the new one', async () => {
      await served.plug(two(), nomad)
      await one().unplug(nomad.name)
      await served.getsAnswer(two(), nomad)
      await isGone(one(), nomad.network)
      await served.forget(two(), nomad)
    })
  })

  it('answers a guest on both sides of a live migration, and then on the one where it is', async () => {
    const traveller = guest('traveller', networkId('714e1'))
    const goTo = (...names: readonly string[]) =>
      nb('lsp-set-options', traveller.name, `requested-chassis=${names.join(',')}`)
    await served.addNetwork(traveller.network)
    await served.addPort(traveller, 'chassis-1')
    await served.plug(one(), traveller)
    await served.getsAnswer(one(), traveller)
    await goTo('chassis-1', 'chassis-2')
    await served.plug(two(), traveller)
    await served.getsAnswer(two(), traveller)
    await served.getsAnswer(one(), traveller)
    await goTo('chassis-2')
    await served.getsAnswer(two(), traveller)
    await isGone(one(), traveller.network)
    await one().unplug(traveller.name)
    await served.forget(two(), traveller)
  })

  it('serves the network of a guest that is to migrate here, before anything of it is here', async () => {
    const expected = guest('expected', networkId('e7bec'))
    await served.addNetwork(expected.network)
    await served.addPort(expected, 'chassis-1')
    await served.plug(one(), expected)
    await served.getsAnswer(one(), expected)
    await nb('lsp-set-options', expected.name, 'requested-chassis=chassis-1,chassis-2')
    const said = await until(
      () => askFor(two(), expected.network, expected.address),
      (text) => text === own(expected) && served.namespaces(two()).includes(expected.network),
    )
    assert.equal(said, own(expected))
    assert.ok(served.namespaces(two()).includes(expected.network))
    assert.equal(await served.cloud.sb('get', 'Port_Binding', expected.name, 'additional_chassis'), '[]')
    await served.forget(one(), expected)
  })

  it('answers for a port that is requested here before it is up', async () => {
    const early = guest('early', networkId('ea41'))
    await served.addNetwork(early.network)
    await served.addPort(early, 'chassis-2')
    assert.equal(await askFor(two(), early.network, early.address), own(early), served.agentOf(two()).said())
    assert.match(await served.cloud.sb('get', 'Port_Binding', early.name, 'up', 'chassis'), /^false\n\[\]$/)
    await nb('ls-del', `neutron-${early.network}`)
    await isGone(two(), early.network)
  })

  it('makes two networks at once, and takes both away at once', async () => {
    const pair = ['first', 'second'].map((name, i) => guest(name, networkId(`${i + 1}2a12`)))
    for (const { network } of pair) await served.addNetwork(network)
    await Promise.all(pair.map((it) => served.addGuest(one(), it)))
    await Promise.all(pair.map((it) => served.getsAnswer(one(), it)))
    await nb(...pair.flatMap(({ name }, i) => (i === 0 ? ['lsp-del', name] : ['--', 'lsp-del', name])))
    for (const { network } of pair) await isGone(one(), network)
    await served.forget(one(), ...pair)
  })

  it('makes one network while another one goes', async () => {
    const [going, coming] = [guest('going', networkId('901a6')), guest('coming', networkId('c0a1a6'))]
    await served.addNetwork(going.network)
    await served.addGuest(one(), going)
    await served.getsAnswer(one(), going)
    await served.addNetwork(coming.network)
    await Promise.all([nb('lsp-del', going.name), served.addGuest(one(), coming)])
    await served.getsAnswer(one(), coming)
    await isGone(one(), going.network)
    await served.forget(one(), going, coming)
  })

  describe('a port that changes while its guest runs', () => {
    const it4 = guest('four', networkId('11fe4'))
    const it6 = { ...guest('six', networkId('11fe6'), 'fd00::6'), mac: 'fa:16:3e:00:06:06' }
    const set = (name: string, key: string, value: string) =>
      nb('set', 'Logical_Switch_Port', name, `external_ids:"neutron:${key}"="${value}"`)

    before(async () => {
      for (const each of [it4, it6]) {
        await served.addNetwork(each.network)
        await served.addGuest(one(), each)
      }
      await served.getsAnswer(one(), it4)
      await served.getsAnswer(one(), it6, 'instance-six project-six fe80::f816:3eff:fe00:606')
    })
    after(() => served.forget(one(), it4, it6))

    it('is known by its new instance and project', async () => {
      await set('four', 'device_id', 'instance-rebuilt')
      await set('four', 'project_id', 'project-moved')
      const said = await until(
        () => served.ask(one(), it4),
        (text) => text.startsWith('instance-rebuilt project-moved '),
      )
      assert.match(said, /^instance-rebuilt project-moved 10\.88\.0\.11 200$/)
    })

    it('is known by its new address, and no longer by the old one', async () => {
      await set('four', 'cidrs', '10.88.0.44/24')
      await nb('lsp-set-addresses', 'four', `${it4.mac} 10.88.0.44`)
      const said = await until(
        () => askFor(one(), it4.network, '10.88.0.44'),
        (text) => text.startsWith('instance-rebuilt'),
      )
      assert.equal(said, 'instance-rebuilt project-moved 10.88.0.44')
      assert.match(await askFor(one(), it4.network, it4.address), /404/)
    })

    it('is known by its new MAC, where that is what a guest of IPv6 shows', async () => {
      await nb('lsp-set-addresses', 'six', 'fa:16:3e:00:07:07 fd00::6')
      for (const change of ['down', 'address fa:16:3e:00:07:07', 'up'])
        await one().inGuest('six', 'ip', 'link', 'set', 'eth0', ...change.split(' '))
      const want = 'instance-six project-six fe80::f816:3eff:fe00:707'
      const said = await until(
        () => served.ask(one(), it6, 1),
        (text) => text === `${want} 200`,
      )
      assert.equal(said, `${want} 200`)
    })

    it('has the MTU of its network, as that changes', async () => {
      await set(`meta-${it4.network}`, 'mtu', '1300')
      const link = () => one().machine.run('ip', '-n', `ovnmeta-${it4.network}`, 'link')
      assert.match(await until(link, (text) => text.includes('mtu 1300')), /mtu 1300/)
    })
  })

  it('serves all others beside a name that it cannot have, and says so', async () => {
    const [unlucky, lucky] = [guest('unlucky', networkId('f11e')), guest('lucky', networkId('f4ee'))]
    const name = `/run/netns/ovnmeta-${unlucky.network}`
    one().machine.run('mkdir', '-p', `${name}/of-somebody-else`)
    for (const each of [unlucky, lucky]) await served.addNetwork(each.network)
    await Promise.all([unlucky, lucky].map((each) => served.addGuest(one(), each)))
    await served.getsAnswer(one(), lucky)
    const said = await until(
      () => served.agentOf(one()).said(),
      (text) => PROBLEM.test(text),
    )
    assert.match(said, PROBLEM)
    assert.equal(one().machine.run('ls', name), 'of-somebody-else\n')
    one().machine.run('rm', '-r', name)
    await served.getsAnswer(one(), unlucky)
    await served.forget(one(), unlucky, lucky)
  })

  it('is not kept from a namespace by the empty file that a crash left in its place', async () => {
    const it = guest('leftover', networkId('1ef7'))
    one().machine.run('touch', `/run/netns/ovnmeta-${it.network}`)
    await served.addNetwork(it.network)
    await served.addGuest(one(), it)
    await served.getsAnswer(one(), it)
  })
})

/** The agent's word for a namespace that it cannot make. */
const PROBLEM = /"level":[45]0[^\n]*ovnmeta-f11e0000[^\n]*/
