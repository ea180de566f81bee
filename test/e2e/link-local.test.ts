import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { withoutCapabilities } from '../../src/host/detached.ts'
import type { NetworkId, PortId } from '../../src/inventory/records/ids.ts'
import { bridgeName } from '../../src/inventory/records/network.ts'
import { tapName } from '../../src/inventory/records/port.ts'
import { type Daemon, firstboot, startDaemon, startService } from '../support/daemon.ts'
import { openTestMachine, type TestMachine } from '../support/test-machine.ts'

// Guests whose link-local address is of their own choice, as NetworkManager makes it, and shows no MAC address:
//
//   six fd00:6::/64, no router      twin fd00:7::/64, no router      routed fd00:8::/64 ── qrouter

const NETWORKS = {
  six: '66666666-6666-4666-8666-666666666666',
  twin: '77777777-7777-4777-8777-777777777777',
  routed: '88888888-8888-4888-8888-888888888888',
} as const
const ROUTER = '99999999-9999-4999-8999-999999999999'

interface Guest {
  readonly name: string
  readonly network: keyof typeof NETWORKS
  readonly id: string
  readonly mac: string
  /** Of its port. Port security drops what comes from an address like theirs, but for these. */
  readonly may: string
  /** Its link-local address, where the kernel is not to choose one. */
  readonly address?: string
}

const EQUAL = 'fe80::7c1e:93b0:55aa:1'
const guest = (number: number, given: Pick<Guest, 'name' | 'network'> & Partial<Guest>): Guest => ({
  id: `${number}0000000-1000-4000-8000-000000000000`,
  mac: `fa:16:3e:00:00:0${number}`,
  may: 'port_security_enabled: false',
  ...given,
})
const GUESTS = {
  open: guest(1, { name: 'open', network: 'six' }),
  paired: guest(2, { name: 'paired', network: 'six', may: "allowed_address_pairs: [{ ip_address: 'fe80::/64' }]" }),
  one: guest(3, { name: 'one', network: 'six', address: EQUAL }),
  other: guest(4, { name: 'other', network: 'twin', address: EQUAL }),
  routed: guest(5, { name: 'routed', network: 'routed' }),
} as const
const ALL = Object.values(GUESTS)

const INVENTORY = `
projects: [{ name: p, id: "11111111111111111111111111111111" }]
networks:
  - { name: six, id: ${NETWORKS.six}, project: p, subnets: [{ cidr: 'fd00:6::/64', ipv6_address_mode: dhcpv6-stateful }] }
  - { name: twin, id: ${NETWORKS.twin}, project: p, subnets: [{ cidr: 'fd00:7::/64', ipv6_address_mode: dhcpv6-stateful }] }
  - name: routed
    id: ${NETWORKS.routed}
    project: p
    subnets: [{ name: routed, cidr: 'fd00:8::/64', ipv6_address_mode: slaac, ipv6_ra_mode: slaac }]
routers: [{ name: r, id: ${ROUTER}, project: p, interfaces: [routed] }]
ports:
${ALL.map(({ name, id, mac, network, may }) => `  - { name: ${name}, id: ${id}, project: p, network: ${network}, mac_address: '${mac}', ${may} }`).join('\n')}
servers:
${ALL.map(({ name, id }) => `  - { name: ${name}, id: ${id}, project: p, hypervisor: external, networks: [{ port: ${name} }] }`).join('\n')}
`

describe('guests with a link-local address that shows no MAC address', () => {
  const directory = mkdtempSync(join(tmpdir(), 'firstboot-link-local-'))
  const file = join(directory, 'inventory.yaml')
  let machine: TestMachine

  const asks = ({ name }: Guest, ...more: string[]) => {
    const url = 'http://[fe80::a9fe:a9fe%25eth0]/openstack/latest/meta_data.json'
    const curl = ['curl', '-sS', '-g', '--max-time', '20', '-w', '\\n%{http_code}', ...more, url]
    const said = machine.run('ip', 'netns', 'exec', name, ...curl)
    const status = said.slice(said.lastIndexOf('\n') + 1)
    return status === '200' ? JSON.parse(said.slice(0, -status.length)).name : Number(status)
  }
  const hears = (netns: string) => machine.run('ip', '-n', netns, '-6', 'neighbour')
  const addressOf = ({ name }: Guest) =>
    /inet6 (fe80::\S+)\//.exec(machine.run('ip', '-n', name, '-6', 'address', 'show', 'scope', 'link'))?.[1] ??
    assert.fail(`${name} has no link-local address`)

  before(async () => {
    machine = await openTestMachine()
    writeFileSync(file, INVENTORY)
  })
  after(async () => {
    await machine?.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  const areKnown = () => {
    for (const each of ALL)
      it(`are known by the neighbour table: ${each.name} on ${each.network}`, () => {
        assert.doesNotMatch(addressOf(each), /ff:fe/)
        assert.equal(asks(each), each.name)
      })
  }

  describe('of firstboot up', () => {
    let up: Daemon
    const state = join(directory, 'up')
    before(async () => {
      up = startDaemon(machine, 'up', '-f', file, '--state-dir', state)
      await up.saying('firstboot is up')
      for (const each of ALL) plug(machine, each)
    })
    after(async () => {
      for (const each of ALL) unplug(machine, each)
      assert.equal(await up?.end('SIGINT'), 0)
    })

    areKnown()

    it('are known in the router’s namespace, where they ask there', () => {
      const address = addressOf(GUESTS.routed)
      assert.ok(hears(`qrouter-${ROUTER}`).includes(`${address} `))
      assert.ok(!hears(`qdhcp-${NETWORKS.routed}`).includes(`${address} `))
    })

    it('are nobody with a MAC address that no port has', () => {
      const { name, mac } = GUESTS.open
      const eth0 = (...words: string[]) => machine.run('ip', '-n', name, 'link', 'set', 'eth0', ...words)
      eth0('down', 'address', 'fa:16:3e:00:00:99')
      eth0('up')
      assert.equal(asks(GUESTS.open), 404)
      eth0('down', 'address', mac)
      eth0('up')
      assert.equal(asks(GUESTS.open), 'open')
    })

    it('are nobody by another one’s MAC address on another network', () => {
      const { name, mac } = GUESTS.other
      const eth0 = (...words: string[]) => machine.run('ip', '-n', name, 'link', 'set', 'eth0', ...words)
      const pretend = (as: string) => {
        eth0('down', 'address', as)
        eth0('up')
        machine.run('ip', '-n', name, 'address', 'add', `${EQUAL}/64`, 'dev', 'eth0', 'nodad')
      }
      pretend(GUESTS.one.mac)
      assert.equal(asks(GUESTS.other), 404)
      pretend(mac)
      assert.equal(asks(GUESTS.other), 'other')
    })

    it('are known behind a haproxy too', () => {
      const set = (driver: string) =>
        machine.run(...firstboot('datapath', 'set', `metadata_proxy_driver=${driver}`, '--state-dir', state))
      set('haproxy')
      for (const each of ALL) assert.equal(asks(each), each.name)
      set('native')
    })
  })

  describe('of separate daemons', () => {
    const state = join(directory, 'three')
    const apart = join(directory, 'apart')
    const socket = `--metadata-proxy-socket=${join(state, 'run/metadata_proxy')}`
    const others: Daemon[] = []
    let agent: Daemon
    const startAgent = async (command: readonly [string, ...string[]]) => {
      agent = startService(machine, command)
      await agent.saying('listens on')
    }
    before(async () => {
      for (const each of [state, apart]) machine.run(...firstboot('apply', '-f', file, '--state-dir', each))
      writeFileSync(join(apart, 'metadata_proxy_shared_secret'), 'the same')
      writeFileSync(join(state, 'metadata_proxy_shared_secret'), 'the same')
      const api = startDaemon(machine, 'metadata-api', '--state-dir', state)
      await api.saying('listens on')
      await startAgent(withoutCapabilities(firstboot('metadata-agent', '--state-dir', state)))
      const dhcp = startDaemon(machine, 'dhcp-agent', '--state-dir', state)
      await dhcp.saying('serves the networks')
      others.push(dhcp, api)
      for (const each of ALL) plug(machine, each)
    })
    after(async () => {
      for (const each of ALL) unplug(machine, each)
      for (const daemon of [agent, ...others]) await daemon?.end('SIGINT')
    })

    areKnown()

    it('are nobody to an agent that may not enter namespaces and has no socket keeper, which says so once', async () => {
      await agent.end()
      await startAgent(withoutCapabilities(firstboot('metadata-agent', '--state-dir', apart, socket)))
      for (const each of [GUESTS.open, GUESTS.routed, GUESTS.open]) assert.equal(asks(each), 404)
      await agent.saying('no socket keeper tells')
      await agent.end()
      assert.equal(agent.said().match(/no socket keeper tells/g)?.length, 1)
    })

    it('are known to an agent that may enter namespaces, with nothing beside it', async () => {
      await agent.end()
      await startAgent(firstboot('metadata-agent', '--state-dir', apart, socket))
      for (const each of ALL) assert.equal(asks(each), each.name)
    })
  })
})

/** A guest with nothing on its `eth0` but a link-local address, and no patience for duplicates. */
function plug(machine: TestMachine, each: Guest): void {
  const { name, network, mac, address } = each
  const tap = tapName({ id: each.id as PortId })
  const inside = (...words: string[]) => machine.run('ip', '-n', name, ...words)
  machine.run('ip', 'netns', 'add', name)
  machine.run('ip', 'link', 'add', tap, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name)
  machine.run('ip', 'link', 'set', tap, 'master', bridgeName(NETWORKS[network] as NetworkId), 'up')
  machine.run('ip', 'netns', 'exec', name, 'sysctl', '-qw', 'net.ipv6.conf.eth0.accept_dad=0')
  inside('link', 'set', 'eth0', 'addrgenmode', address === undefined ? 'random' : 'none')
  inside('link', 'set', 'eth0', 'address', mac, 'up')
  if (address !== undefined) inside('address', 'add', `${address}/64`, 'dev', 'eth0', 'nodad')
  if (network !== 'routed') return
  const router = machine.run('ip', '-n', `qrouter-${ROUTER}`, '-6', 'address', 'show', 'scope', 'link')
  const gateway = /inet6 (fe80::\S+)\//.exec(router)?.[1] ?? assert.fail('the router has no link-local address')
  inside('route', 'add', 'fe80::a9fe:a9fe/128', 'via', gateway, 'dev', 'eth0')
}

function unplug(machine: TestMachine, { id, name }: Guest): void {
  machine.run('ip', 'link', 'delete', tapName({ id: id as PortId }))
  machine.run('ip', 'netns', 'delete', name)
}
