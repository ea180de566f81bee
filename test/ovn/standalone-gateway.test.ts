import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { inNamespace } from '../../src/host/netns.ts'
import { computeChecksums } from '../../src/host/offload.ts'
import { type Daemon, firstboot, startDaemon } from '../support/daemon.ts'
import { noSandbox } from '../support/datapath-machine.ts'
import { addUserspaceBridge, type Chassis, joinByVeth } from './chassis.ts'
import { type Cloud, openCloud } from './cloud.ts'

/*
 *   chassis-1:  firstboot up --datapath ovn; web 10.0.0.11, api 10.0.0.12 (and 192.168.77.1), books fd00:1::…
 *       │ geneve
 *   chassis-2:  the gateway of router edge, 203.0.113.5 ── br-ex ── outside 203.0.113.1, without a route to 10.0.0.0/24
 */

const INVENTORY = readFileSync(new URL('standalone-gateway.yaml', import.meta.url), 'utf8')
const SCRIPT = fileURLToPath(new URL('../support/udhcpc-script.sh', import.meta.url))
const SEARCHING_MILLISECONDS = 30_000
const OURS = [
  'Logical_Switch',
  'DNS',
  'Logical_Switch_Port',
  'Logical_Router',
  'Logical_Router_Port',
  'DHCP_Options',
  'NAT',
  'Logical_Router_Static_Route',
  'Gateway_Chassis',
]

interface Server {
  readonly id: string
  readonly name: string
  readonly ports: readonly string[]
}
interface Port {
  readonly id: string
  readonly mac_address: string
  readonly fixed_ips: readonly { readonly ip_address: string }[]
}

describe('the gateway of firstboot up on OVN', { skip: noSandbox }, () => {
  let cloud: Cloud
  let up: Daemon
  let state: string
  const one = () => cloud.chassis[0]
  const two = () => cloud.chassis[1]
  const run = (...args: readonly string[]) => {
    const [program, ...rest] = firstboot(...args, `--state-dir=${state}`)
    return execFileSync(program, rest, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  }
  const records = <T>(noun: string) => JSON.parse(run('list', noun, '--json')) as readonly T[]
  const apply = (text: string) => {
    const file = join(cloud.directory, 'inventory.yaml')
    writeFileSync(file, text)
    run('apply', `--file=${file}`, '--prune')
  }
  const serverOf = (name: string): { readonly server: Server; readonly port: Port } => {
    const server = records<Server>('servers').find((each) => each.name === name)
    const port = records<Port>('ports').find(({ id }) => id === server?.ports[0])
    assert.ok(server && port)
    return { server, port }
  }
  const plug = async (name: string, ...cidrs: readonly string[]) => {
    const { server, port } = serverOf(name)
    await one().plug({ name, logicalPort: port.id, mac: port.mac_address, cidrs })
    return { server, addresses: port.fixed_ips.map((fixed) => fixed.ip_address) }
  }
  const metadata = (guest: string, host: string) => () =>
    one().inGuest(guest, 'curl', '-sSg', '--max-time', '2', `http://${host}/openstack/latest/meta_data.json`)
  const ping = (guest: string, address: string) => () =>
    one().inGuest(guest, 'busybox', 'ping', '-c', '1', '-W', '1', address)
  const page = () => two().inGuest('outside', 'curl', '-sS', '--max-time', '1', 'http://203.0.113.80/')
  const column = async (table: string, name: string, ...where: readonly string[]) =>
    (await cloud.nb('--bare', `--columns=${name}`, 'find', table, ...where)).split(/\s+/).filter(Boolean).sort()
  const foreign = () => cloud.nb('list', 'Logical_Router', 'somebody-elses')

  const start = async (...more: readonly string[]) => {
    const remotes = [`--ovsdb-connection=${one().local}`, `--ovn-nb-connection=unix:${cloud.directory}/nb.sock`]
    const where = ['--datapath=ovn', `--state-dir=${state}`, '--log-level=info']
    up = startDaemon(one().machine, 'up', ...where, ...remotes, ...more)
    await up.saying('firstboot is up')
  }

  before(async () => {
    cloud = await openCloud()
    state = join(cloud.directory, 'state')
    const file = join(cloud.directory, 'inventory.yaml')
    writeFileSync(file, INVENTORY)
    await plugOutside(two())
    await cloud.nb('lr-add', 'somebody-elses', '--', 'lr-route-add', 'somebody-elses', '198.18.0.0/15', '198.51.100.1')
    await cloud.nb('lr-nat-add', 'somebody-elses', 'snat', '203.0.113.80', '10.0.0.0/24')
    await start(`--file=${file}`)
    await one().plug({ name: 'api', ...logicalPort(serverOf('api').port), cidrs: ['10.0.0.12/24'] })
    one().machine.run('ip', '-n', 'api', 'route', 'add', 'default', 'via', '10.0.0.1')
    one().machine.run('ip', '-n', 'api', 'address', 'add', '192.168.77.1/32', 'dev', 'lo')
    serve('api')
  })
  after(async () => {
    await up?.end('SIGINT')
    await cloud?.close()
  })

  /** A web page that says whose it is. */
  function serve(guest: string): void {
    const root = join(cloud.directory, guest)
    mkdirSync(root)
    writeFileSync(join(root, 'index.html'), guest)
    const server = ['busybox', 'httpd', '-f', '-p', '80', '-h', root] as const
    one().machine.start(['ip', 'netns', 'exec', guest, ...server], { stdio: 'ignore' })
  }

  it('writes the way out as ML2/OVN does', async () => {
    await says(() => cloud.nb('--bare', '--columns=chassis_name', 'list', 'Gateway_Chassis'), /^chassis-2$/)
    assert.deepEqual(await column('Logical_Switch_Port', 'options', 'type=localnet'), [
      'localnet_learn_fdb=false',
      'mcast_flood=false',
      'mcast_flood_reports=true',
      'network_name=public',
    ])
    const ours = 'external_ids:firstboot!=""'
    assert.deepEqual(await column('NAT', 'external_ip', ours), ['203.0.113.5', '203.0.113.80'])
    assert.deepEqual(await column('Logical_Router_Static_Route', 'nexthop', ours), ['10.0.0.12', '203.0.113.1'])
    assert.deepEqual(await column('Logical_Router_Port', 'networks', ours), [
      '10.0.0.1/24',
      '203.0.113.5/24',
      'fd00:1::1/64',
      'fd00:f::1/64',
    ])
  })

  it('leads a guest that has its lease from OVN outside, behind the router’s address', async () => {
    const { server } = await plug('web')
    serve('web')
    await one().inGuest('web', 'ip', 'link', 'set', 'eth0', 'up')
    const lease = join(cloud.directory, 'web.lease')
    const client = ['udhcpc', '-i', 'eth0', '-f', '-n', '-q', '-t', '20', '-T', '1', '-O', 'staticroutes', '-s', SCRIPT]
    assert.match(
      await one().inGuest('web', 'env', `LEASE_FILE=${lease}`, 'busybox', ...client),
      /lease of 10\.0\.0\.11/,
    )
    await says(metadata('web', '169.254.169.254'), new RegExp(server.id))
    await says(ping('web', '203.0.113.1'), /1 packets received/)
    assert.doesNotMatch(two().machine.run('ip', '-n', 'outside', 'route'), /10\.0\.0\.|default/)
  })

  it('follows the router’s own route', () => says(ping('web', '192.168.77.1'), /1 packets received/))

  it('answers whatever server it asks for the name of another guest', () =>
    says(
      () => one().inGuest('web', 'busybox', 'nslookup', 'api.openstacklocal', '203.0.113.53'),
      /Address.* 10\.0\.0\.12/,
    ))

  it('lets the outside in by a floating IP', () => says(page, /^web$/))

  it('advertises IPv6, of which the guest makes the address it was assigned, and answers over it', async () => {
    const { server, port } = serverOf('web')
    const assigned = port.fixed_ips.find(({ ip_address }) => ip_address.includes(':'))?.ip_address ?? '?'
    const addresses = () => one().inGuest('web', 'ip', '-6', 'address', 'show', 'dev', 'eth0', 'scope', 'global')
    await says(addresses, new RegExp(`inet6 ${assigned}/64 `))
    await says(metadata('web', '[fe80::a9fe:a9fe%25eth0]'), new RegExp(server.id))
  })

  it('gives a guest its address by DHCPv6, and answers it', async () => {
    const { server, addresses } = await plug('books')
    await one().inGuest('books', 'ip', 'link', 'set', 'eth0', 'up')
    await says(() => one().inGuest('books', 'ip', '-6', 'route', 'show', 'default'), /via fe80:/)
    const file = (name: string) => join(cloud.directory, `books.${name}`)
    const client = ['-6', '-1', '-v', '-sf', '/bin/true', '-lf', file('lease'), '-pf', file('pid'), 'eth0']
    const said = await one().inGuest('books', 'timeout', '20', 'dhclient', ...client)
    assert.match(said, new RegExp(`IAADDR ${addresses[0]}`))
    await says(metadata('books', '[fe80::a9fe:a9fe%25eth0]'), new RegExp(server.id))
  })

  it('moves a floating IP at once, and writes no more than that', async () => {
    const before = up.said().length
    apply(INVENTORY.replace('203.0.113.80, server: web', '203.0.113.80, server: api'))
    await says(page, /^api$/)
    // The translation, and of either port which floating IP it has.
    await says(async () => written(up.said().slice(before)), /^3$/)
  })

  it('puts the gateway where chassis can have it', async () => {
    const chassis = () => cloud.nb('--bare', '--columns=chassis_name', 'list', 'Gateway_Chassis')
    await two().vsctl('remove', 'Open_vSwitch', '.', 'external_ids', 'ovn-bridge-mappings')
    await says(chassis, /^chassis-2$/) // the only one that is a gateway, if only of tunnels
    await two().vsctl('remove', 'Open_vSwitch', '.', 'external_ids', 'ovn-cms-options')
    await says(chassis, /^(chassis-1\s+chassis-2|chassis-2\s+chassis-1)$/)
    await makeGateway(two())
    await says(chassis, /^chassis-2$/)
    await says(ping('web', '203.0.113.1'), /1 packets received/)
  })

  it('translates floating IPs on the guest’s own chassis where that is wanted', async () => {
    await joinOutside(one(), two())
    const [mac = ''] = (await cloud.nb('--bare', '--columns=external_ids', 'find', 'NAT', 'type=dnat_and_snat'))
      .split(/\s+/)
      .flatMap((pair) => (pair.startsWith('neutron:fip_external_mac=') ? [pair.slice(pair.indexOf('=') + 1)] : []))
    await up.end('SIGKILL')
    await start('--enable-distributed-floating-ip')
    const neighbour = async () => {
      await two().inGuest('outside', 'ip', 'neigh', 'flush', 'dev', 'eth0')
      return `${await page()} ${await two().inGuest('outside', 'ip', 'neigh', 'show', '203.0.113.80')}`
    }
    await says(neighbour, new RegExp(`^api .*lladdr ${mac} `))
    await says(async () => written(up.said()), /^1$/) // nothing but the translation is another than before
  })

  it('detaches a network while guests run, and leaves what somebody added to its router alone', async () => {
    const [router = ''] = await column('Logical_Router', 'name', 'external_ids:firstboot!=""')
    await cloud.nb('lr-route-add', router, '198.18.0.0/15', '10.0.0.99')
    const before = await foreign()
    apply(
      INVENTORY.replace('interfaces: [front4, front6, ledger6]', 'interfaces: [ledger6]')
        .replace(/ {4}routes:\n.*\n/, '')
        .replace(/floating_ips:\n.*\n/, ''),
    )
    await says(() => column('Logical_Router_Port', 'networks').then(String), /^203\.0\.113\.5\/24,fd00:1::1\/64$/)
    await says(() => column('NAT', 'external_ids', 'external_ids:firstboot!=""').then(String), /^$/)
    const routes = await column('Logical_Router_Static_Route', 'nexthop')
    assert.deepEqual(routes, ['10.0.0.99', '198.51.100.1', '203.0.113.1'])
    await says(ping('web', '203.0.113.1'), /0 packets received/)
    assert.equal(await foreign(), before)
  })

  it('has nothing left when the inventory has nothing', async () => {
    const before = await foreign()
    apply('projects:\n  - name: shop\n')
    for (const table of OURS)
      await says(() => column(table, '_uuid', 'external_ids:firstboot!=""').then(String), /^$/, table)
    assert.equal(await foreign(), before)
    assert.equal((await column('NAT', '_uuid')).length, 1)
  })
})

/** How many operations each transaction with the Northbound had. */
function written(said: string): string {
  return Array.from(said.matchAll(/"operations":(\d+)/g), ([, operations]) => operations).join()
}

function logicalPort({ id, mac_address }: Port) {
  return { logicalPort: id, mac: mac_address }
}

/** The world outside: a namespace on a bridge that is the physical network `public`. */
async function plugOutside(chassis: Chassis): Promise<void> {
  const { machine } = chassis
  const ip = (...args: string[]) => machine.run('ip', ...args)
  ip('netns', 'add', 'outside')
  ip('link', 'add', 'tap-outside', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', 'outside')
  inNamespace<void>(`/proc/${machine.pid}/ns/net`, () => computeChecksums('tap-outside'))
  inNamespace<void>(`/proc/${machine.pid}/root/run/netns/outside`, () => computeChecksums('eth0'))
  ip('link', 'set', 'tap-outside', 'up')
  ip('-n', 'outside', 'link', 'set', 'eth0', 'up')
  ip('-n', 'outside', 'address', 'add', '203.0.113.1/24', 'dev', 'eth0')
  await addUserspaceBridge(chassis, 'br-ex', 'tap-outside')
  await makeGateway(chassis)
}

/** Has the physical network on another chassis, too. */
async function joinOutside(a: Chassis, b: Chassis): Promise<void> {
  const wire = 'x-outside'
  await joinByVeth(a, b, wire)
  await b.vsctl('add-port', 'br-ex', wire)
  await addUserspaceBridge(a, 'br-ex', wire)
  await a.vsctl('set', 'Open_vSwitch', '.', 'external_ids:ovn-bridge-mappings=public:br-ex')
}

async function makeGateway({ vsctl }: Chassis): Promise<void> {
  const settings = ['ovn-bridge-mappings=public:br-ex', 'ovn-cms-options=enable-chassis-as-gw']
  await vsctl('set', 'Open_vSwitch', '.', ...settings.map((setting) => `external_ids:${setting}`))
}

/** Reads until it says this. */
async function says(read: () => Promise<string>, wanted: RegExp, what = String(wanted)): Promise<void> {
  const end = performance.now() + SEARCHING_MILLISECONDS
  for (;;) {
    const said = await read()
    if (wanted.test(said)) return
    if (performance.now() > end) assert.fail(`${what} was not said, but: ${said}`)
    await delay(50)
  }
}
