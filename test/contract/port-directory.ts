import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { IpAddress, MacAddress } from '../../src/inventory/records/address.ts'
import type { NetworkId, RouterId } from '../../src/inventory/records/ids.ts'
import { InstanceUnknown } from '../../src/metadata-agent/errors.ts'
import type { Client, PortDirectory, Within } from '../../src/metadata-agent/port-directory.ts'
import { resolveInstance } from '../../src/metadata-agent/resolve.ts'

/** What every directory is asked about, told in names that each turns into its own ids. */
export const WORLD: World = {
  subnets: [
    { name: 'blue', network: 'blue', cidr: '10.0.0.0/24' },
    { name: 'blue6', network: 'blue', cidr: 'fd00:1::/64' },
    // Of the same network, and not on the router.
    { name: 'annex', network: 'blue', cidr: '10.9.0.0/24' },
    { name: 'green', network: 'green', cidr: '10.0.1.0/24' },
    // The blue addresses once more, for somebody else.
    { name: 'twin', network: 'twin', cidr: '10.0.0.0/24' },
  ],
  routers: [
    { name: 'router', subnets: ['blue', 'blue6', 'green'] },
    { name: 'idle', subnets: [] },
  ],
  ports: [
    vm('web', 'blue', 'fa:16:3e:00:00:01', ['blue=10.0.0.11', 'blue=10.0.0.12', 'blue6=fd00:1::f816:3eff:fe00:1']),
    vm('db', 'green', 'fa:16:3e:00:00:02', ['green=10.0.1.11']),
    vm('annexed', 'blue', 'fa:16:3e:00:00:03', ['annex=10.9.0.11']),
    vm('other', 'twin', 'fa:16:3e:00:00:04', ['twin=10.0.0.11']),
    vm('same-mac', 'green', 'fa:16:3e:00:00:01', ['green=10.0.1.12']),
    { ...vm('dhcp', 'blue', 'fa:16:3e:00:00:05', ['blue=10.0.0.2']), owner: 'network:dhcp', device: 'dhcp-1' },
    { ...vm('free', 'blue', 'fa:16:3e:00:00:06', ['blue=10.0.0.66']), owner: '', device: '' },
    {
      ...vm('vip-1', 'blue', 'fa:16:3e:00:00:07', ['blue=10.0.0.21']),
      pairs: ['10.0.0.100', '10.0.0.200', 'fe80::100'],
    },
    { ...vm('vip-2', 'blue', 'fa:16:3e:00:00:08', ['blue=10.0.0.22']), pairs: ['10.0.0.200/32', 'fd00:1::100'] },
    { ...vm('range', 'blue', 'fa:16:3e:00:00:09', ['blue=10.0.0.23']), pairs: ['10.0.0.128/25'] },
  ],
}

export interface World {
  readonly subnets: readonly { readonly name: string; readonly network: string; readonly cidr: string }[]
  readonly routers: readonly { readonly name: string; readonly subnets: readonly string[] }[]
  readonly ports: readonly WorldPort[]
}

export interface WorldPort {
  readonly name: string
  readonly network: string
  readonly mac: string
  /** `SUBNET=ADDRESS` */
  readonly addresses: readonly string[]
  readonly owner: string
  readonly device: string
  readonly pairs: readonly string[]
}

function vm(name: string, network: string, mac: string, addresses: readonly string[]): WorldPort {
  const device = `b65cee2f-8c69-4aeb-be2f-0000000000${mac.slice(-2)}`
  return { name, network, mac, addresses, owner: 'compute:nova', device, pairs: [] }
}

/** A directory that holds WORLD. */
export interface OpenedDirectory {
  readonly directory: PortDirectory
  /** The id of a network, router or port by its name. */
  id(kind: 'network' | 'router' | 'port', name: string): string
  close(): Promise<void>
}

interface Row {
  readonly name: string
  readonly network?: string
  readonly router?: string
  readonly address?: string
  readonly mac?: string
  readonly want: readonly string[]
}

const FINDS: readonly Row[] = [
  { name: 'an address on its network', network: 'blue', address: '10.0.0.11', want: ['web'] },
  { name: 'another address of the same port', network: 'blue', address: '10.0.0.12', want: ['web'] },
  { name: 'the same address on another network', network: 'twin', address: '10.0.0.11', want: ['other'] },
  { name: 'an IPv6 address', network: 'blue', address: 'fd00:1::f816:3eff:fe00:1', want: ['web'] },
  { name: 'an address behind a router', router: 'router', address: '10.0.1.11', want: ['db'] },
  { name: 'a MAC address on its network', network: 'green', mac: 'fa:16:3e:00:00:02', want: ['db'] },
  {
    name: 'a MAC address on two networks of a router',
    router: 'router',
    mac: 'fa:16:3e:00:00:01',
    want: ['same-mac', 'web'],
  },
  { name: 'ports of others than instances', network: 'blue', address: '10.0.0.2', want: ['dhcp'] },
  { name: 'ports of nobody', network: 'blue', address: '10.0.0.66', want: ['free'] },
  { name: 'nothing of an address that is not there', network: 'blue', address: '10.0.0.99', want: [] },
  { name: 'nothing of an address that is elsewhere', network: 'green', address: '10.0.0.11', want: [] },
  { name: 'nothing in a subnet the router does not serve', router: 'router', address: '10.9.0.11', want: [] },
  { name: 'nothing behind a router without interfaces', router: 'idle', address: '10.0.0.11', want: [] },
  { name: 'no MAC behind a router without interfaces', router: 'idle', mac: 'fa:16:3e:00:00:04', want: [] },
  { name: 'nothing behind a router that is not there', router: 'nobody', address: '10.0.0.11', want: [] },
  { name: 'nothing on a network that is not there', network: 'nobody', address: '10.0.0.11', want: [] },
]

const PAIRS: readonly Row[] = [
  { name: 'the one that names it', network: 'blue', address: '10.0.0.100', want: ['vip-1'] },
  {
    name: 'each that names it, however it is written',
    network: 'blue',
    address: '10.0.0.200',
    want: ['vip-1', 'vip-2'],
  },
  { name: 'an IPv6 address', network: 'blue', address: 'fd00:1::100', want: ['vip-2'] },
  { name: 'a link-local address', network: 'blue', address: 'fe80::100', want: ['vip-1'] },
  { name: 'the one behind a router', router: 'router', address: '10.0.0.100', want: ['vip-1'] },
  { name: 'no port whose range it is in', network: 'blue', address: '10.0.0.150', want: [] },
  { name: 'nothing on another network', network: 'twin', address: '10.0.0.100', want: [] },
  { name: 'nothing behind a router without interfaces', router: 'idle', address: '10.0.0.100', want: [] },
]

/** A guest asks from a link-local address, with which these MAC addresses were heard. */
const HEARD: readonly (Omit<Row, 'address' | 'mac'> & { readonly heard: readonly string[] })[] = [
  { name: 'on its network', network: 'blue', heard: ['fa:16:3e:00:00:01'], want: ['web'] },
  { name: 'behind a router', router: 'router', heard: ['fa:16:3e:00:00:02'], want: ['db'] },
  {
    name: 'beside one that is no port’s',
    network: 'green',
    heard: ['02:00:00:00:00:99', 'fa:16:3e:00:00:02'],
    want: ['db'],
  },
  { name: 'not on another network', network: 'twin', heard: ['fa:16:3e:00:00:02'], want: [] },
  { name: 'not behind a router without interfaces', router: 'idle', heard: ['fa:16:3e:00:00:04'], want: [] },
  { name: 'not of several', router: 'router', heard: ['fa:16:3e:00:00:02', 'fa:16:3e:00:00:03'], want: [] },
  { name: 'not a DHCP port', network: 'blue', heard: ['fa:16:3e:00:00:05'], want: [] },
]

/** What the agent relies on, for any directory. */
export function describeDirectory(kind: string, open: () => Promise<OpenedDirectory>): void {
  describe(`port directory: ${kind}`, () => {
    let opened: OpenedDirectory
    before(async () => {
      opened = await open()
    })
    after(() => opened?.close())

    const namesOf = (ports: readonly { readonly id: string }[]) => {
      const names = new Map(WORLD.ports.map(({ name }) => [opened.id('port', name), name]))
      return ports.map(({ id }) => names.get(id) ?? id).toSorted()
    }

    for (const row of FINDS)
      it(`finds ${row.name}`, async () => {
        const found = await opened.directory.find(within(opened, row), client(row))
        assert.deepEqual(namesOf(found), row.want)
        // Asked again, the answer may be a kept one; what was not found is asked for at a slower pace.
        if (found.length > 0) assert.deepEqual(await opened.directory.find(within(opened, row), client(row)), found)
      })

    it('tells what belongs to whom', async () => {
      const [port] = await opened.directory.find(within(opened, { network: 'blue' }), {
        fixedIp: '10.0.0.11' as IpAddress,
      })
      assert.equal(port?.deviceId, WORLD.ports[0]?.device)
      assert.equal(port?.deviceOwner, 'compute:nova')
      assert.equal(port?.networkId, opened.id('network', 'blue'))
      assert.match(port?.projectId ?? '', /^[0-9a-f]{32}$/)
    })

    for (const row of HEARD)
      it(`knows by the MAC address that was heard who asks: ${row.name}`, async () => {
        const heardAs = async () => row.heard as readonly MacAddress[]
        const origin = { within: within(opened, row), address: 'fe80::7c1e:93b0:55aa:1' as IpAddress }
        const found = resolveInstance(origin, { find: opened.directory.find, heardAs })
        if (row.want.length > 0) assert.deepEqual(namesOf([{ id: (await found).portId }]), row.want)
        else await assert.rejects(found, InstanceUnknown)
      })

    for (const row of PAIRS)
      it(`finds by allowed address pair ${row.name}`, async (t) => {
        if (opened.directory.findByAddressPair === undefined) return t.diagnostic('knows of no pairs')
        const found = await opened.directory.findByAddressPair(within(opened, row), row.address as IpAddress)
        assert.deepEqual(namesOf(found), row.want)
      })
  })
}

function within(opened: OpenedDirectory, { network, router }: Partial<Row>): Within {
  return network !== undefined
    ? { networkId: opened.id('network', network) as NetworkId }
    : { routerId: opened.id('router', router ?? '') as RouterId }
}

function client({ address, mac }: Row): Client {
  return mac === undefined ? { fixedIp: address as IpAddress } : { mac: mac as MacAddress }
}
