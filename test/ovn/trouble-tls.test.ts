import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { openListener } from '../../src/host/sockets.ts'
import type { IpAddress } from '../../src/inventory/records/address.ts'
import { type Authority, createAuthority } from '../ovsdb/certificates.ts'
import { createDatabase, type OvsdbServer, ovsdbServer } from '../ovsdb/ovsdb-server.ts'
import { noSandbox } from '../support/datapath-machine.ts'
import type { Chassis } from './chassis.ts'
import { schemaOf } from './cloud.ts'
import { type Guest, guest, networkId, openServedCloud, type ServedCloud, until } from './served-cloud.ts'

/*
 *   the test's own namespace: the Southbound, on a unix socket for OVN and on ssl: for the agent
 *   chassis-1, chassis-2: an agent on each asks ssl:127.0.0.1:6642, which this test forwards there
 *
 * Two agents, since one that lost several connections in a row waits longer and longer before it tries again.
 */

const NETWORK = networkId('7e51de07')
const FILES = ['private-key', 'certificate', 'ca-cert'] as const
type Files = Readonly<Record<(typeof FILES)[number], string | Uint8Array>>

describe('the OVN metadata agent on a Southbound by ssl:', { skip: noSandbox }, () => {
  let served: ServedCloud<OvsdbServer>
  const forwards: Forward[] = []
  let ours: Authority
  let next: Authority
  let stranger: Authority
  const residents = ['resident-1', 'resident-2'].map((name, i) => guest(name, NETWORK, `10.88.0.1${i}`)) as [
    Guest,
    Guest,
  ]
  const one = () => served.cloud.chassis[0]
  const two = () => served.cloud.chassis[1]
  const place = (side: string, kind: string) => join(served.cloud.directory, `${side}-${kind}.pem`)

  function write(directory: string, side: string, files: Files): void {
    for (const kind of FILES) writeFileSync(join(directory, `${side}-${kind}.pem`), files[kind])
  }
  function filesOf(authority: Authority, name: string): Files {
    const { key, cert, ca } = authority.issue(name)
    return { 'private-key': key, certificate: cert, 'ca-cert': ca }
  }

  before(async () => {
    served = await openServedCloud(async (directory) => {
      ;[ours, next, stranger] = ['ours', 'next', 'stranger'].map((name) => createAuthority(directory, name)) as [
        Authority,
        Authority,
        Authority,
      ]
      write(directory, 'server', filesOf(ours, 'server'))
      const files = FILES.map((kind) => `--${kind}=${join(directory, `server-${kind}.pem`)}`)
      const args = ['--remote=pssl:0:127.0.0.1', ...files]
      const server = ovsdbServer(directory, createDatabase(directory, schemaOf('sb'), 'sb'), { name: 'sb', args })
      await server.start()
      return server
    })
    await served.addNetwork(NETWORK)
    for (const [i, chassis] of served.cloud.chassis.entries()) {
      forwards.push(openForward(chassis.machine.pid, 6642, () => served.cloud.southbound.port()))
      write(served.cloud.directory, chassis.name, filesOf(ours, chassis.name))
      await served.startAgent(
        chassis,
        '--ovn-sb-connection=ssl:127.0.0.1:6642',
        `--ovn-sb-private-key=${place(chassis.name, 'private-key')}`,
        `--ovn-sb-certificate=${place(chassis.name, 'certificate')}`,
        `--ovn-sb-ca-cert=${place(chassis.name, 'ca-cert')}`,
      )
      await served.addGuest(chassis, residents[i] as Guest)
    }
  })
  after(async () => {
    for (const forward of forwards) forward.close()
    await served?.close()
  })

  /** What an agent says from now on. */
  function listen(chassis: Chassis): () => string {
    const before = served.agentOf(chassis).said().length
    return () => served.agentOf(chassis).said().slice(before)
  }

  it('serves, and writes its registration', async () => {
    await served.getsAnswer(one(), residents[0])
    assert.match(served.agentOf(one()).said(), /"OVN_Southbound","remote":"ssl:127\.0\.0\.1:6642"/)
    const registered = () => served.cloud.sb('get', 'Chassis_Private', 'chassis-1', 'external_ids')
    assert.match(await until(registered, (text) => text.includes('ovn-metadata-id')), /ovn-metadata-id/)
  })

  const faults: readonly { name: string; change: () => Partial<Files>; says: RegExp }[] = [
    {
      name: 'trusts another authority',
      change: () => ({ 'ca-cert': stranger.issue('server').ca }),
      says: /"remote":"ssl:127\.0\.0\.1:6642","reason":"the server’s certificate is not trusted: /,
    },
    {
      name: 'has a certificate of another authority',
      change: () => ({ ...filesOf(stranger, 'chassis-1'), 'ca-cert': readFileSync(ours.caFile) }),
      says: /"reason":"[^"]*the server does not accept our certificate \(unknown ca\)/,
    },
  ]
  for (const { name, change, says } of faults)
    it(`says so when it ${name}, and serves what it knew`, async () => {
      const said = listen(one())
      write(served.cloud.directory, 'chassis-1', { ...filesOf(ours, 'chassis-1'), ...change() })
      forwards[0]?.cut()
      assert.match(await until(said, (text) => says.test(text)), says)
      await served.getsAnswer(one(), residents[0])
    })

  it('comes back when that is mended', async () => {
    const said = listen(one())
    write(served.cloud.directory, 'chassis-1', filesOf(ours, 'chassis-1'))
    assert.match(await until(said, (text) => text.includes('synchronized')), /synchronized/)
  })

  it('takes renewed certificates, of another authority too, without a restart', async () => {
    await served.getsAnswer(two(), residents[1])
    const said = listen(two())
    write(served.cloud.directory, 'server', filesOf(next, 'server'))
    await served.cloud.southbound.kill()
    await served.cloud.southbound.start()
    assert.match(await until(said, (text) => /is not trusted/.test(text)), /is not trusted/)
    await served.getsAnswer(two(), residents[1])
    write(served.cloud.directory, 'chassis-2', filesOf(next, 'chassis-2'))
    const fresh = guest('fresh', networkId('f4e54'))
    await served.addNetwork(fresh.network)
    await served.addGuest(two(), fresh)
    await served.getsAnswer(two(), fresh)
  })
})

interface Forward {
  /** Ends every connection that is open. */
  cut(): void
  close(): void
}

/** Makes a port of ours one on the loopback device of a machine. */
function openForward(pid: number, port: number, target: () => Promise<number>): Forward {
  const sockets = new Set<Socket>()
  const cut = () => {
    for (const socket of sockets) socket.destroy()
    sockets.clear()
  }
  const server: Server = createServer((near) => {
    sockets.add(near.on('error', () => undefined))
    // A server that is being restarted has no port.
    target().then(
      (at) => {
        const far = connect(at, '127.0.0.1')
        sockets.add(far.on('error', () => undefined))
        near.pipe(far).pipe(near)
        near.on('close', () => far.destroy())
        far.on('close', () => near.destroy())
      },
      () => near.destroy(),
    )
  })
  const where = { address: '127.0.0.1' as IpAddress, port, device: null, backlog: 16 }
  server.listen({ fd: openListener(`/proc/${pid}/ns/net`, where) })
  return {
    cut,
    close() {
      cut()
      server.close()
    },
  }
}
