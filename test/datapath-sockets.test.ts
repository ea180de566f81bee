import assert from 'node:assert/strict'
import { closeSync, existsSync } from 'node:fs'
import { createServer } from 'node:http'
import { after, before, describe, it } from 'node:test'
import { ipBatch } from '../src/host/iproute.ts'
import { KernelHost } from '../src/host/kernel-host.ts'
import { Listeners } from '../src/host/listeners.ts'
import { inNamespace, netnsInode, netnsPath } from '../src/host/netns.ts'
import { addNetns, deleteNetns } from '../src/host/plug.ts'
import { runProgram } from '../src/host/programs.ts'
import { openListener, shareListener } from '../src/host/sockets.ts'
import type { IpAddress } from '../src/inventory/records/address.ts'
import type { NetworkId } from '../src/inventory/records/ids.ts'
import { noSandbox, temporaryDirectory } from './support/datapath-machine.ts'
import { kernelTurn } from './support/kernel-turn.ts'

await kernelTurn()

// One process, fifty namespaces, the same address and port in each:
//
//   sockets-0                     sockets-49                this process
//   lo 169.254.169.254/32   ...   lo 169.254.169.254/32     50 sockets, no namespace of its own but home
//      :80 <-------------------------- :80 <--------------- listens on all of them

const METADATA = { address: '169.254.169.254' as IpAddress, port: 80, device: null, backlog: 16 }
const names = Array.from({ length: 50 }, (_, i) => `sockets-${i}`)

describe('sockets of one process in many namespaces', { skip: noSandbox }, () => {
  const closing: (() => void)[] = []

  before(async () => {
    for (const name of names) {
      await addNetns(name)
      const fd = openListener(netnsPath(name), METADATA) // before the address exists
      const server = createServer((_, reply) => reply.end(name)).listen({ fd })
      closing.push(() => server.close().closeAllConnections())
      await ipBatch([['address', 'add', '169.254.169.254/32', 'dev', 'lo']], name)
    }
  })

  after(async () => {
    for (const close of closing) close()
    for (const name of names) await deleteNetns(name)
  })

  it('answer each in the name of its own', async () => {
    for (const name of names) {
      const answer = await runProgram('ip', [
        'netns',
        'exec',
        name,
        'curl',
        '-sS',
        '--max-time',
        '5',
        'http://169.254.169.254/',
      ])
      assert.equal(answer.stdout, name)
    }
  })

  it('cannot be opened twice', () => {
    assert.throws(() => openListener(netnsPath('sockets-0'), METADATA), { code: 'EADDRINUSE' })
  })

  it('can be opened twice by those who both allow it', () => {
    const fd = openListener(netnsPath('sockets-0'), { ...METADATA, port: 81 })
    assert.throws(() => openListener(netnsPath('sockets-0'), { ...METADATA, port: 81, isShared: true }), {
      code: 'EADDRINUSE',
    })
    shareListener(fd)
    closeSync(openListener(netnsPath('sockets-0'), { ...METADATA, port: 81, isShared: true }))
    closeSync(fd)
  })

  // One of another user allows it to nobody else, which `noreuseport` stands in for.
  for (const { allows, netns, line, stays } of [
    { allows: 'allows it', netns: 'sockets-1', line: '', stays: true },
    { allows: 'does not', netns: 'sockets-2', line: 'global\n    noreuseport\n', stays: false },
  ])
    it(`come beside a haproxy that ${allows}, and then it goes`, async (t) => {
      const state = temporaryDirectory()
      t.after(() => state.remove())
      const host = new KernelHost({
        netnsPrefixes: ['sockets-'],
        bridgePrefix: 'brq',
        statePath: state.path,
        sysctls: [],
        sockets: new Listeners((fd) => {
          const server = createServer((_, reply) => reply.end('ours')).listen({ fd })
          return async () => void server.close().closeAllConnections()
        }),
        warn: (what) => assert.fail(what),
      })
      t.after(() => host.close())
      const directory = `${state.path}/ns-metadata-proxy/n`
      const where = { address: METADATA.address, port: 82 }
      const text = `${line}defaults\n    mode http\nlisten x\n    bind ${where.address}:${where.port}\n    timeout client 5s\n`
      const program = {
        kind: 'haproxy',
        directory,
        arguments: ['-f', `${directory}/haproxy.conf`],
        files: { 'haproxy.conf': text },
      } as const
      const running = async () => (await host.observe()).namespaces.get(netns)?.programs.length
      await host.observe() // what runs already is an earlier run's
      await host.execute([
        { kind: 'netns-claim', netns },
        { kind: 'program-start', netns, program },
      ])
      const listener = { ...where, device: null, stamp: { networkId: 'n' as NetworkId } }
      await host.execute([{ kind: 'listener-open', netns, listener, beside: true }])
      assert.equal(await running(), stays ? 1 : 0)
      await host.execute([{ kind: 'program-stop', netns, program: 'haproxy', relieved: true }])
      assert.equal(await running(), 0)
      assert.ok(!existsSync(directory))
      const curl = ['netns', 'exec', netns, 'curl', '-sS', '--max-time', '5', `http://${where.address}:${where.port}/`]
      assert.equal((await runProgram('ip', curl)).stdout, 'ours')
    })

  it('need the device of a link-local address', () => {
    const listener = { ...METADATA, address: 'fe80::1' as IpAddress, device: 'no-device' }
    assert.throws(() => openListener(netnsPath('sockets-0'), listener), /no such device/)
  })

  it('leave the process at home, whatever happens inside', () => {
    const home = netnsInode('/proc/thread-self/ns/net')
    const inside = inNamespace<number | undefined>(netnsPath('sockets-7'), () => netnsInode('/proc/thread-self/ns/net'))
    assert.equal(inside, netnsInode(netnsPath('sockets-7')))
    assert.throws(() =>
      inNamespace<void>(netnsPath('sockets-7'), () => {
        throw new Error('inside')
      }),
    )
    assert.throws(() => inNamespace<void>(netnsPath('no-such'), () => undefined), { code: 'ENOENT' })
    assert.throws(() => inNamespace<void>('/proc/self/ns/uts', () => undefined), /invalid argument/)
    assert.equal(netnsInode('/proc/thread-self/ns/net'), home)
  })
})
