import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { askManagement } from '../../src/daemons/management.ts'
import { openStateDirectory } from '../../src/daemons/state-directory.ts'
import type { DatapathStatus } from '../../src/datapath/status.ts'
import type { RecordSet } from '../../src/inventory/records/records.ts'
import { openSqliteStore } from '../../src/inventory/sql/sqlite.ts'
import { type Daemon, firstboot, startDaemon } from '../support/daemon.ts'
import { openTestMachine, type TestMachine } from '../support/test-machine.ts'
import { udhcpc } from '../support/udhcpc.ts'

// Networks of every kind on one machine, each with a guest that takes a lease and asks who it is.
//
//   routed 10.1.0.0/24 ── qrouter ── second 10.2.0.0/24        twin 10.1.0.0/24: the range of `routed`, and no router
//   isolated 10.3.0.0/24      forced: routed too, sent here by an option      dual 10.5.0.0/24 + fd00:5::/64      six fd00:6::/64

const INVENTORY = `
projects: [{ name: p }]
networks:
  - { name: routed, project: p, subnets: [{ name: routed, cidr: 10.1.0.0/24 }] }
  - { name: second, project: p, subnets: [{ name: second, cidr: 10.2.0.0/24 }] }
  - { name: isolated, project: p, subnets: [{ name: isolated, cidr: 10.3.0.0/24 }] }
  - { name: twin, project: p, subnets: [{ name: twin, cidr: 10.1.0.0/24 }] }
  - name: dual
    project: p
    subnets:
      - { name: dual4, cidr: 10.5.0.0/24 }
      - { name: dual6, cidr: 'fd00:5::/64', ipv6_address_mode: slaac, ipv6_ra_mode: slaac }
  - name: six
    project: p
    subnets: [{ name: six, cidr: 'fd00:6::/64', ipv6_address_mode: dhcpv6-stateful, ipv6_ra_mode: dhcpv6-stateful }]
routers: [{ name: r, project: p, interfaces: [routed, second] }]
servers:
  - { name: on-routed, project: p, networks: [{ network: routed, fixed_ip: 10.1.0.50 }] }
  - { name: on-second, project: p, networks: [{ network: second, fixed_ip: 10.2.0.50 }] }
  - { name: on-isolated, project: p, networks: [{ network: isolated }] }
  - { name: on-twin, project: p, networks: [{ network: twin, fixed_ip: 10.1.0.50 }] }
  - { name: on-dual, project: p, networks: [{ network: dual }] }
  - { name: on-six, project: p, networks: [{ network: six }] }
`
const NAMES = ['on-routed', 'on-second', 'on-isolated', 'on-twin', 'on-dual', 'on-six'] as const
type Name = (typeof NAMES)[number]

describe('guests on networks of every kind', () => {
  const directory = mkdtempSync(join(tmpdir(), 'firstboot-paths-'))
  const file = join(directory, 'inventory.yaml')
  let machine: TestMachine
  let up: Daemon
  let records: RecordSet
  let status: () => Promise<DatapathStatus>
  let set: (...assignments: string[]) => string

  const inside = (name: Name, ...command: string[]) => machine.run('ip', 'netns', 'exec', name, ...command)
  const curl = (name: Name, url: string, ...more: string[]) =>
    inside(name, 'curl', '-sS', '-g', '--max-time', '8', ...more, `${url}/openstack/latest/meta_data.json`)
  const asks = (name: Name, url = 'http://169.254.169.254') => JSON.parse(curl(name, url)).name
  /** By the route that option 121 of a lease has. */
  const lease = (name: Name) => {
    inside(name, 'ip', '-4', 'address', 'flush', 'dev', 'eth0')
    inside(name, ...udhcpc(join(directory, name), '-O', 'staticroutes'))
    return /169\.254\.169\.254 via (\S+)/.exec(inside(name, 'ip', 'route'))?.[1]
  }

  before(async () => {
    machine = await openTestMachine()
    writeFileSync(file, INVENTORY)
    const path = join(directory, 'state')
    up = startDaemon(machine, 'up', '-f', file, '--state-dir', path)
    await up.saying('firstboot is up')
    const state = await openStateDirectory(path)
    const store = await openSqliteStore(state.database)
    records = (await store.load()).records
    await store.close()
    status = async () => (await askManagement(state, 'GET /datapath/status')) as DatapathStatus
    set = (...assignments) => machine.run(...firstboot('datapath', 'set', ...assignments, '--state-dir', path))
    for (const name of NAMES) plug(machine, name, records)
  })
  after(async () => {
    await up?.end('SIGINT')
    await machine?.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  it('behind a router ask there', () => {
    assert.equal(lease('on-routed'), '10.1.0.1')
    assert.equal(asks('on-routed'), 'on-routed')
    assert.equal(lease('on-second'), '10.2.0.1')
    assert.equal(asks('on-second'), 'on-second')
  })

  it('without a router ask the DHCP port', () => {
    assert.equal(lease('on-isolated'), '10.3.0.2')
    assert.equal(asks('on-isolated'), 'on-isolated')
  })

  it('with the address of one behind a router are not taken for it', () => {
    assert.equal(lease('on-twin'), '10.1.0.2')
    assert.equal(asks('on-twin'), 'on-twin')
    assert.equal(asks('on-routed'), 'on-routed')
  })

  it('read nobody else’s answer by an address their router does not serve', () => {
    inside('on-routed', 'ip', 'address', 'add', '10.3.0.50/32', 'dev', 'eth0')
    // The router answers by its own routes, so the guest that pretends hears nothing or that it is nobody.
    const code = machine.run(
      'sh',
      '-c',
      `ip netns exec on-routed curl -s -o /dev/null -w '%{http_code}' --max-time 2 --interface 10.3.0.50 http://169.254.169.254/openstack || true`,
    )
    assert.match(code, /^(000|404)$/)
    inside('on-routed', 'ip', 'address', 'delete', '10.3.0.50/32', 'dev', 'eth0')
  })

  it('cannot reach the proxy of their router directly', () => {
    assert.throws(() => curl('on-routed', 'http://10.1.0.1:9697', '--max-time', '1'), /timed out/)
  })

  it('of two families ask by either', () => {
    assert.equal(lease('on-dual'), '10.5.0.2')
    assert.equal(asks('on-dual'), 'on-dual')
    assert.equal(asks('on-dual', 'http://[fe80::a9fe:a9fe%25eth0]'), 'on-dual')
  })

  it('of IPv6 alone ask by that', () => {
    assert.equal(asks('on-six', 'http://[fe80::a9fe:a9fe%25eth0]'), 'on-six')
  })

  it('are sent to the DHCP port by force_metadata, at once, and back', () => {
    assert.match(set('force_metadata=true'), /force_metadata: false -> true/)
    assert.equal(lease('on-routed'), '10.1.0.2')
    assert.equal(asks('on-routed'), 'on-routed')
    set('force_metadata=false')
    assert.equal(lease('on-routed'), '10.1.0.1')
    assert.equal(asks('on-routed'), 'on-routed')
  })

  it('are answered by a haproxy just so', async () => {
    set('metadata_proxy_driver=haproxy')
    const programs = (await status()).namespaces.map(({ programs: all }) => all.some(({ kind }) => kind === 'haproxy'))
    assert.ok(programs.every(Boolean))
    for (const name of ['on-routed', 'on-isolated', 'on-twin', 'on-dual'] as const) assert.equal(asks(name), name)
    assert.equal(asks('on-six', 'http://[fe80::a9fe:a9fe%25eth0]'), 'on-six')
    assert.equal(
      JSON.parse(curl('on-routed', 'http://169.254.169.254', '-H', 'X-Forwarded-For: 10.2.0.50')).name,
      'on-routed',
    )
    set('metadata_proxy_driver=native')
    assert.equal(asks('on-routed'), 'on-routed')
  })

  it('lose the router’s answer with enable_metadata_proxy, and nothing of theirs leaves it', () => {
    set('enable_metadata_proxy=false')
    assert.throws(
      () => curl('on-routed', 'http://169.254.169.254', '--max-time', '1'),
      /timed out|refused|Couldn't connect|unreachable/i,
    )
    set('enable_metadata_proxy=true')
    assert.equal(asks('on-routed'), 'on-routed')
  })

  it('are explained to the operator', async () => {
    const { namespaces } = await status()
    const of = (name: string) => namespaces.find((each) => each.name === name) ?? assert.fail(name)
    assert.deepEqual(
      ['r', 'routed', 'isolated'].map((name) => [
        of(name).path,
        of(name).answers,
        of(name).sends_guests,
        of(name).because,
      ]),
      [
        ['router', true, true, 'the router is up'],
        ['dhcp', true, false, 'a router has the gateway address of every subnet with DHCP'],
        ['dhcp', true, true, 'a subnet with DHCP is isolated'],
      ],
    )
    assert.ok(of('isolated').programs.some(({ kind, pid }) => kind === 'dnsmasq' && pid > 0))
    assert.ok(of('isolated').actions.some(({ why }) => why === 'dnsmasq does not run' || why.includes('listens')))
    assert.deepEqual(
      namespaces.filter(({ trouble }) => trouble !== null),
      [],
    )
  })
})

/** Each guest’s `eth0`, with nothing on it but a link-local address. */
function plug(machine: TestMachine, name: Name, records: RecordSet): void {
  const server = [...records.server.values()].find((each) => each.name === name)
  const port = records.port.get(server?.portIds[0] ?? '') ?? assert.fail(`${name} has no port`)
  const tap = `tap${port.id.slice(0, 11)}`
  machine.run('ip', 'netns', 'add', name)
  machine.run('ip', 'link', 'add', tap, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name)
  machine.run('ip', 'link', 'set', tap, 'master', `brq${port.networkId.slice(0, 11)}`, 'up')
  machine.run('ip', '-n', name, 'link', 'set', 'lo', 'up')
  machine.run('ip', '-n', name, 'link', 'set', 'eth0', 'address', port.macAddress, 'up')
}
