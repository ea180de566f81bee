import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Message, openRelay, type Relay } from '../ovsdb/relay.ts'
import { noSandbox } from '../support/datapath-machine.ts'
import { guest, networkId, openServedCloud, type ServedCloud, until } from './served-cloud.ts'
import { clusteredSouthbound, type SouthboundCluster } from './southbound-cluster.ts'

/*
 *   sb1, sb2, sb3: the Southbound on three servers
 *     chassis-1: its agent is given all three, and finds the leader
 *     chassis-2: its agent is given one follower
 * Relays stand between, which this test opens and closes.
 */

/** A connection of use, in the agent's log. */
const USED = /"OVN_Southbound","remote":"([^"]*)","method"/g

/** More than the transactions that a server remembers. */
const HISTORY = 120

describe('the OVN metadata agent on a clustered Southbound', { skip: noSandbox }, () => {
  let served: ServedCloud<SouthboundCluster>
  let relay: Relay
  let leader: string
  let follower: string
  const relays = new Map<string, Relay>()
  const [red, stays, goes, comes] = [
    guest('red', networkId('4ed')),
    guest('stays', networkId('57a75')),
    guest('goes', networkId('60e5')),
    guest('comes', networkId('c0e5')),
  ]
  const one = () => served.cloud.chassis[0]
  const two = () => served.cloud.chassis[1]
  const southbound = () => served.cloud.southbound

  before(async () => {
    served = await openServedCloud(clusteredSouthbound)
    leader = await southbound().leader()
    follower = [...southbound().servers.keys()].find((name) => name !== leader) ?? ''
    const relayTo = (name: string) => openRelay(served.cloud.directory, `${served.cloud.directory}/${name}.sock`)
    relay = await relayTo(follower)
    for (const name of southbound().servers.keys()) {
      relays.set(name, await relayTo(name))
      relays.get(name)?.open(name === leader)
    }
    for (const { network } of [red, stays, goes]) await served.addNetwork(network)
    await Promise.all([
      served.startAgent(one(), `--ovn-sb-connection=${Array.from(relays.values(), ({ remote }) => remote)}`),
      served.startAgent(two(), `--ovn-sb-connection=${relay.remote}`),
    ])
  })
  after(async () => {
    await served?.close()
    for (const each of [relay, ...relays.values()]) await each?.close()
  })

  it('is served by the remote that it is given, a follower too', async () => {
    await served.addGuest(one(), red)
    for (const it of [stays, goes]) await served.addGuest(two(), it)
    await served.getsAnswer(one(), red)
    for (const it of [stays, goes]) await served.getsAnswer(two(), it)
    assert.match(served.agentOf(two()).said(), new RegExp(`"OVN_Southbound","remote":"${relay.remote}"`))
    const registered = () => served.cloud.sb('get', 'Chassis_Private', 'chassis-2', 'external_ids')
    assert.match(await until(registered, (text) => text.includes('ovn-metadata-id')), /ovn-metadata-id/)
  })

  it('away for longer than the history of the server finds by difference what came and what went', async () => {
    relay.open(false)
    await served.agentOf(two()).saying('database is not connected')
    await served.addNetwork(comes.network)
    await served.addGuest(two(), comes)
    await served.cloud.nb('lsp-del', goes.name)
    await forgetHistory()
    await served.getsAnswer(two(), stays)
    relay.take()
    relay.open(true)
    await served.getsAnswer(two(), comes)
    assert.equal(resumed(relay.take()), false)
    const text = await until(
      () => served.namespaces(two()),
      (said) => !said.includes(goes.network),
    )
    assert.ok(!text.includes(goes.network), text)
    // What stayed was left alone: nobody made it anew.
    const made = served
      .agentOf(two())
      .said()
      .split('\n')
      .filter((line) => line.includes(`ovnmeta-${stays.network}`) && line.includes('"netns-add"'))
    assert.equal(made.length, 1)
  })

  it('goes on when the leader, which it uses, is killed, also with what comes afterwards', async () => {
    const used = () => Array.from(served.agentOf(one()).said().matchAll(USED), ([, remote]) => remote).at(-1)
    for (const each of relays.values()) each.open(true)
    assert.equal(used(), relays.get(leader)?.remote)
    await southbound().kill(leader)
    await served.getsAnswer(one(), red)
    const fresh = guest('fresh', networkId('f4e54'))
    await served.addNetwork(fresh.network)
    await served.addGuest(one(), fresh)
    await served.getsAnswer(one(), fresh)
    assert.notEqual(used(), relays.get(leader)?.remote)
    assert.notEqual(await southbound().leader(), leader)
  })

  /** Transactions on the follower until it has forgotten where the agent was. */
  async function forgetHistory(): Promise<void> {
    const remote = `--db=unix:${served.cloud.directory}/${follower}.sock`
    for (let i = 0; i < HISTORY; i += 1)
      await two().output('ovn-sbctl', remote, '--no-leader-only', 'set', 'SB_Global', '.', `external_ids:turn=${i}`)
  }
})

/** What the server answered to monitor_cond_since: whether it still knew where the agent was. */
function resumed(messages: readonly Message[]): boolean | undefined {
  const request = messages.findLast(
    ({ method, params }) => method === 'monitor_cond_since' && (params as string[])[0] === 'OVN_Southbound',
  )
  const reply = messages.findLast((message) => 'result' in message && message['id'] === request?.['id'])
  return (reply?.['result'] as readonly boolean[] | undefined)?.[0]
}
