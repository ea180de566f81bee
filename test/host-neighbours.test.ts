import assert from 'node:assert/strict'
import { mkdirSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { neighbourTables } from '../src/daemons/neighbours.ts'
import { type Heard, heardIn } from '../src/host/heard.ts'
import { connectKeeper } from '../src/host/socket-keeper/connection.ts'
import { openSocketKeeper } from '../src/host/socket-keeper/keeper.ts'
import { askHeardIn, neighboursSocket } from '../src/host/socket-keeper/neighbours.ts'
import type { IpAddress, MacAddress } from '../src/inventory/records/address.ts'
import type { NetworkId, RouterId } from '../src/inventory/records/ids.ts'
import { silentLog } from '../src/observe/log.ts'
import { type BridgedNamespaces, device, inside, openBridgedNamespaces } from './support/bridged-namespaces.ts'
import { noSandbox, temporaryDirectory } from './support/datapath-machine.ts'
import { kernelTurn } from './support/kernel-turn.ts'

await kernelTurn()

// Who has a link-local address, by the neighbour table of a namespace.

const A = 'qrouter-a'
const OWN = 'fe80::7c1e:93b0:55aa:1' as IpAddress
const OTHER = '02:00:00:00:00:99' as MacAddress

describe('the neighbours of a namespace', { skip: noSandbox }, () => {
  let machine: BridgedNamespaces
  const state = temporaryDirectory()
  const keeper = join(state.path, 'run', 'sockets')
  const asks: Readonly<Record<string, (netns: string, address: IpAddress) => Promise<readonly Heard[] | undefined>>> = {
    'by entering it': async (netns, address) => heardIn(netns, address),
    'by asking the socket keeper': (netns, address) => askHeardIn(neighboursSocket(keeper), netns, address),
  }
  const ip = (...args: string[]) => inside(A, 'ip', ...args)
  /** From that address to the router, where nobody listens. */
  const connectFromIt = async () => {
    const url = 'http://[fe80::f816:3eff:fe00:1%25qr-b]:9'
    const refused = inside('qrouter-b', 'curl', '-sS', '-g', '--max-time', '10', url)
    await assert.rejects(refused, /Couldn't connect/)
  }
  const say = (address: string, how: string, dev = 'qr-a') =>
    ip('-6', 'neighbour', 'replace', address, 'lladdr', OTHER, 'dev', dev, 'nud', how)

  before(async () => {
    machine = await openBridgedNamespaces()
    mkdirSync(dirname(keeper))
    await openSocketKeeper(keeper)
    await inside('qrouter-b', 'ip', 'address', 'flush', 'dev', 'qr-b', 'scope', 'link')
    await inside('qrouter-b', 'ip', 'address', 'add', `${OWN}/64`, 'dev', 'qr-b', 'nodad')
    await ip('link', 'add', 'qg-a', 'type', 'veth', 'peer', 'name', 'outside')
    for (const end of ['qg-a', 'outside']) await ip('link', 'set', end, 'up')
  })
  after(async () => {
    const connection = await connectKeeper(keeper, { onClose: () => undefined })
    await connection.ask({ ask: 'end' })
    connection.close()
    assert.throws(() => statSync(neighboursSocket(keeper)), /ENOENT/)
    await machine?.close()
    state.remove()
  })

  for (const [how, ask] of Object.entries(asks))
    describe(how, () => {
      it('are those that were heard', async () => {
        assert.deepEqual(await ask(A, 'fe80::1234' as IpAddress), [])
        await connectFromIt()
        assert.deepEqual(await ask(A, OWN), [{ device: 'qr-a', mac: device('b').mac }])
      })

      for (const [state, isHeard] of Object.entries({ stale: true, permanent: true, reachable: true, failed: false }))
        it(`are ${isHeard ? 'also' : 'not'} the ${state}`, async () => {
          const address = 'fe80::57a7:e' as IpAddress
          await say(address, state)
          assert.deepEqual(await ask(A, address), isHeard ? [{ device: 'qr-a', mac: OTHER }] : [])
        })

      it('are told apart by device', async () => {
        await say('fe80::2:1', 'permanent')
        await say('fe80::2:1', 'permanent', 'qg-a')
        const found = await ask(A, 'fe80::2:1' as IpAddress)
        assert.deepEqual(found?.map((heard) => heard.device).toSorted(), ['qg-a', 'qr-a'])
      })

      it('are not there without the namespace', async () => assert.equal(await ask('qrouter-nobody', OWN), undefined))
    })

  it('of a router are those that it has within, not beyond its gateway', async () => {
    const { heardAs } = neighbourTables({ socketKeeper: keeper }, silentLog)
    await say('fe80::3:1', 'permanent', 'qg-a')
    assert.deepEqual(await heardAs({ routerId: 'a' as RouterId }, 'fe80::3:1' as IpAddress), [])
    assert.deepEqual(await heardAs({ routerId: 'a' as RouterId }, OWN), [device('b').mac])
    assert.equal(await heardAs({ networkId: 'a' as NetworkId }, OWN), undefined)
  })

  describe('are told to who may ask the socket keeper', () => {
    /** What it answers to these bytes. */
    const raw = async (bytes: string) => {
      const socket = connect(neighboursSocket(keeper)).setEncoding('utf8')
      socket.write(bytes)
      let said = ''
      for await (const chunk of socket) said += chunk
      return said
    }
    const question = (netns: unknown, address: unknown = OWN) => `${JSON.stringify({ netns, address })}\n`

    it('which is the group of the state directory', () => {
      const { mode, gid } = statSync(neighboursSocket(keeper))
      assert.deepEqual([mode & 0o777, gid], [0o660, statSync(state.path).gid])
    })

    for (const [name, bytes, want] of [
      ['a path', question('../../proc/1/ns/net'), /no name of a namespace/],
      ['a name that is a number', question(7), /no name of a namespace/],
      ['another kind of address', question(A, '10.0.0.1'), /no link-local IPv6 address/],
      ['an address with a zone', question(A, `${OWN}%qr-a`), /no link-local IPv6 address/],
      ['no JSON', 'GET / HTTP/1.1\r\n\n', /error/],
      ['null', 'null\n', /no name of a namespace/],
      ['more than a question', 'x'.repeat(10_000), /^$/],
      ['half a question', '{"netns":', /^$/],
    ] as const)
      it(`and refused with ${name}`, async () => {
        const said = await raw(bytes).catch((error: NodeJS.ErrnoException) => {
          if (error.code === 'ECONNRESET' || error.code === 'EPIPE') return ''
          throw error
        })
        assert.match(said, want)
        assert.ok((await asks['by asking the socket keeper']?.(A, OWN))?.length, 'others are answered on')
      })
  })
})
