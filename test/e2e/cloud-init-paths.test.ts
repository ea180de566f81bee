import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { guestRootProblem } from '../../bootstrap/guest-root.js'
import { bridgeName } from '../../src/inventory/records/network.ts'
import { type Port, tapName } from '../../src/inventory/records/port.ts'
import type { RecordSet } from '../../src/inventory/records/records.ts'
import { openSqliteStore } from '../../src/inventory/sql/sqlite.ts'
import { type Daemon, firstboot, startDaemon } from '../support/daemon.ts'
import { type BootEvidence, bootEvidence, bootLightInstance, type LightInstance } from '../support/light-instance.ts'
import { openTestMachine, type TestMachine } from '../support/test-machine.ts'

// One `firstboot up`, one network a row, on each network a Debian guest with unmodified cloud-init (22.4.2). A row's name
// is that of its network, its subnets' and its server. Guests of a phase boot at once.

/** cloud-init knows the IPv6 address by itself since 23.1; an older image names it so. `%eth0`, not the `%25eth0` of a
 *  URL: 22.4.2 asks the resolver for the host as it stands there, and drops what is not resolved. */
const IPV6_IMAGE = {
  '/etc/cloud/cloud.cfg.d/99-ipv6.cfg':
    'datasource: { OpenStack: { metadata_urls: ["http://[fe80::a9fe:a9fe%eth0]", "http://169.254.169.254"] } }\n',
  // Its first try is by DHCP of IPv4, which would wait a minute for an answer that nobody gives.
  '/etc/dhcp/dhclient.conf': 'timeout 2;\n',
}

/** 22.4.2 finds the datasource when the interface is up already, and leaves it as it is until the next boot. So an image
 *  that is to have its address by DHCPv6 at the first one says so itself. */
const DHCPV6_IMAGE = {
  ...IPV6_IMAGE,
  '/etc/cloud/cloud.cfg.d/99-network.cfg':
    'network: { version: 1, config: [{ type: physical, name: eth0, subnets: [{ type: ipv6_dhcpv6-stateful }] }] }\n',
}

interface Row {
  readonly name: string
  readonly title: string
  readonly subnets: readonly object[]
  /** What a router joins. */
  readonly interfaces?: readonly string[]
  readonly ports?: readonly object[]
  /** What a guest's image has beside the others'. */
  readonly image?: Readonly<Record<string, string>>
  readonly forced?: true
  /** Next hop of the guest's requests; undefined: by IPv6, on the link. */
  readonly by: string | undefined
  /** What cloud-init made of network_data.json, or of the image's own. */
  readonly configured: readonly string[]
  readonly datasource: keyof typeof DATASOURCES
}

/** What a result and what `cloud-init status` calls it. IPv4 is asked before the network is up, IPv6 afterwards. */
const DATASOURCES = {
  openstacklocal: 'DataSourceOpenStackLocal [net,ver=2]',
  openstack: 'DataSourceOpenStack [net,ver=2]',
}

const DHCP = ['iface eth0 inet dhcp']

const slaac = { ipv6_address_mode: 'slaac', ipv6_ra_mode: 'slaac' }
const stateful = { ipv6_address_mode: 'dhcpv6-stateful', ipv6_ra_mode: 'dhcpv6-stateful' }

const ROWS: readonly Row[] = [
  {
    name: 'routed',
    title: 'behind a router',
    subnets: [{ name: 'routed', cidr: '10.1.0.0/24' }],
    interfaces: ['routed'],
    by: '10.1.0.1',
    configured: DHCP,
    datasource: 'openstacklocal',
  },
  {
    name: 'isolated',
    title: 'on an isolated network with the range of the routed one',
    subnets: [{ name: 'isolated', cidr: '10.1.0.0/24' }],
    by: '10.1.0.2',
    configured: DHCP,
    datasource: 'openstacklocal',
  },
  {
    name: 'beside',
    title: 'beside a router that does not have the gateway’s address',
    subnets: [{ name: 'beside', cidr: '10.2.0.0/24' }],
    ports: [{ name: 'beside-router', network: 'beside', fixed_ips: [{ ip_address: '10.2.0.9' }] }],
    interfaces: ['beside-router'],
    by: '10.2.0.2',
    configured: DHCP,
    datasource: 'openstacklocal',
  },
  {
    name: 'dual',
    title: 'of both families behind a router',
    subnets: [
      { name: 'dual-4', cidr: '10.3.0.0/24' },
      { name: 'dual-6', cidr: 'fd00:3::/64', ...slaac },
    ],
    interfaces: ['dual-4', 'dual-6'],
    by: '10.3.0.1',
    configured: ['iface eth0 inet dhcp', 'iface eth0 inet6 auto'],
    datasource: 'openstacklocal',
  },
  {
    name: 'slaac',
    title: 'of IPv6 alone, its address by router advertisement',
    subnets: [{ name: 'slaac', cidr: 'fd00:4::/64', ...slaac }],
    interfaces: ['slaac'],
    image: IPV6_IMAGE,
    by: undefined,
    configured: ['iface eth0 inet6 auto'],
    datasource: 'openstack',
  },
  {
    name: 'stateful',
    title: 'of IPv6 alone, its address by DHCPv6, without a router',
    subnets: [{ name: 'stateful', cidr: 'fd00:5::/64', ...stateful }],
    image: DHCPV6_IMAGE,
    by: undefined,
    configured: ['iface eth0 inet6 dhcp'],
    datasource: 'openstack',
  },
  {
    name: 'forced',
    title: 'behind a router, with force_metadata',
    subnets: [{ name: 'forced', cidr: '10.6.0.0/24' }],
    interfaces: ['forced'],
    forced: true,
    by: '10.6.0.2',
    configured: DHCP,
    datasource: 'openstacklocal',
  },
]

const key = (name: string) => {
  const field = (bytes: Buffer) => Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes])
  const blob = [field(Buffer.from('ssh-ed25519')), field(createHash('sha256').update(name).digest())]
  return `ssh-ed25519 ${Buffer.concat(blob).toString('base64')} ${name}@example`
}

const INVENTORY = {
  projects: [{ name: 'p' }],
  keypairs: ROWS.map(({ name }) => ({ name, public_key: key(name) })),
  networks: ROWS.map(({ name, subnets }) => ({ name, subnets })),
  ports: ROWS.flatMap(({ ports = [] }) => ports),
  routers: ROWS.filter(({ interfaces }) => interfaces !== undefined).map(({ name, interfaces = [] }) => ({
    name,
    interfaces: interfaces.map((each) => (each.endsWith('-router') ? { port: each } : each)),
  })),
  servers: ROWS.map(({ name }) => ({
    name: `on-${name}`,
    key_name: name,
    hypervisor: 'external',
    networks: [{ network: name }],
    user_data: '#!/bin/sh\necho "ran on $(hostname) as $(id -un)" >/var/user-data-trace\n',
  })),
}

describe('unmodified cloud-init', { skip: guestRootProblem() ?? false }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'firstboot-cloud-init-'))
  const state = join(directory, 'state')
  const booted = new Map<Row, { readonly instance: LightInstance; readonly seen: BootEvidence; readonly port: Port }>()
  let machine: TestMachine
  let up: Daemon

  const boot = (rows: readonly Row[], records: RecordSet) =>
    Promise.all(
      rows.map(async (row) => {
        const port = plug(machine, row, records)
        const instance = await bootLightInstance(machine, row.name, row.image)
        booted.set(row, { instance, seen: bootEvidence(instance), port })
      }),
    )

  before(async () => {
    machine = await openTestMachine()
    const file = join(directory, 'inventory.yaml')
    writeFileSync(file, JSON.stringify(INVENTORY))
    up = startDaemon(machine, 'up', '-f', file, '--state-dir', state)
    await up.saying('firstboot is up')
    const store = await openSqliteStore(join(state, 'inventory.sqlite'))
    const { records } = await store.load()
    await store.close()
    const [ordinary = [], forced = []] = [false, true].map((is) => ROWS.filter((row) => (row.forced ?? false) === is))
    await boot(ordinary, records)
    machine.run(...firstboot('datapath', 'set', 'force_metadata=true', '--state-dir', state))
    await boot(forced, records)
  })
  after(async () => {
    await Promise.all([...booted.values()].map(({ instance }) => instance.stop()))
    await up?.end('SIGINT')
    await machine?.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  for (const row of ROWS)
    describe(row.title, () => {
      const guest = () => booted.get(row) ?? assert.fail('it has not booted')

      it('is done, by the OpenStack datasource, without an error', () => {
        const { instance, seen } = guest()
        const { status, errors, datasource } = JSON.parse(instance.run('cloud-init', 'status', '--format', 'json'))
        assert.deepEqual({ status, errors, datasource }, { status: 'done', errors: [], datasource: row.datasource })
        assert.equal(seen.datasource, DATASOURCES[row.datasource])
        assert.deepEqual(seen.stages, ['init-local', 'init', 'modules:config', 'modules:final'])
      })

      it('has its own name, key and script', () => {
        const { instance, seen } = guest()
        assert.equal(seen.hostname, `on-${row.name}`)
        assert.equal(instance.read('/home/debian/.ssh/authorized_keys').trim(), key(row.name))
        assert.equal(instance.read('/var/user-data-trace'), `ran on on-${row.name} as root\n`)
      })

      it('has its own addresses, by the configuration it was told', () => {
        const { instance, port } = guest()
        const [{ addr_info }] = JSON.parse(instance.run('ip', '-json', 'address', 'show', 'eth0'))
        const addresses = addr_info.map(({ local }: { local: string }) => local)
        for (const { ipAddress } of port.fixedIps) assert.ok(addresses.includes(ipAddress), `${addresses}`)
        const configured = instance.read('/etc/network/interfaces.d/50-cloud-init').match(/^iface eth0 .*$/gm)
        assert.deepEqual(configured, row.configured)
      })

      it('was sent the right way', () => {
        const { instance, seen } = guest()
        assert.deepEqual(
          seen.requests.filter((request) => !request.startsWith('200 ')),
          [],
        )
        if (row.by === undefined) assert.equal(instance.run('ip', '-4', 'route'), '')
        else assert.match(instance.run('ip', 'route', 'get', '169.254.169.254'), new RegExp(` via ${row.by} `))
      })
    })
})

/** The row's guest on its port, as a hypervisor outside of firstboot does. `eth0` stays down: cloud-init raises it. */
function plug(machine: TestMachine, { name }: Row, { server, port }: RecordSet): Port {
  const [portId = ''] = [...server.values()].find((each) => each.name === `on-${name}`)?.portIds ?? []
  const own = port.get(portId) ?? assert.fail(`on-${name} has no port`)
  const tap = tapName(own)
  machine.run('ip', 'netns', 'add', name)
  machine.run('ip', 'link', 'add', tap, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name)
  machine.run('ip', '-n', name, 'link', 'set', 'eth0', 'address', own.macAddress)
  machine.run('ip', 'link', 'set', tap, 'master', bridgeName(own.networkId), 'up')
  return own
}
