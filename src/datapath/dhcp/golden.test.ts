import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { aNetwork, aPort, aRoute, aSubnet } from '../../../test/support/network-records.ts'
import type { Dnsmasq, Namespace } from '../../host/namespace.ts'
import { type Cidr, eui64Address, type MacAddress, parseIpAddress } from '../../inventory/records/address.ts'
import type { NetworkId, SubnetId } from '../../inventory/records/ids.ts'
import type { Port } from '../../inventory/records/port.ts'
import type { Ipv6Mode, Subnet } from '../../inventory/records/subnet.ts'
import { DHCP_DEFAULTS } from './config.ts'
import { dhcpNamespace } from './namespace.ts'
import { viewNetwork } from './network-view.ts'

// What Neutron's DHCP agent (21.0.0, enable_isolated_metadata on, Linux bridge) generated for four networks. The records
// in objects.json are Neutron's own answers; the DHCP port's MAC and addresses are read off its device.

const GOLDEN = new URL('../../../test/golden/neutron/', import.meta.url)
const config = { ...DHCP_DEFAULTS, statePath: '<NT_DIR>/state' }

interface Case {
  readonly name: 'iso' | 'nogw' | 'iso6' | 'rtd'
  readonly subnets: readonly string[]
  readonly ports: readonly string[]
  /** Router interfaces: those of objects.json with the address they had. */
  readonly routers: readonly { readonly key: string; readonly mac: string; readonly address: string }[]
}

const cases: readonly Case[] = [
  { name: 'iso', subnets: ['iso_s'], ports: ['p_iso', 'p_free'], routers: [] },
  { name: 'nogw', subnets: ['nogw_s'], ports: ['p_nogw'], routers: [] },
  { name: 'iso6', subnets: ['iso6_s'], ports: ['p_iso6'], routers: [] },
  {
    name: 'rtd',
    subnets: ['rtd_s', 'rtd_s6'],
    ports: ['p_rtd', 'p_rtd_dupmac'],
    routers: [
      { key: 'rif_rtd_s', mac: 'fa:16:3e:5c:de:b8', address: '10.10.2.1' },
      { key: 'rif_rtd_s6', mac: 'fa:16:3e:ac:10:df', address: 'fd00:2::' },
    ],
  },
]

for (const one of cases) {
  test(`${one.name}: files, arguments, addresses, routes and listeners are those of the DHCP agent`, () => {
    const { device, addresses, mac, routes } = readDevice(one.name)
    const subnets = one.subnets.map(subnetFrom)
    const dhcpPort = aPort(device.replace('ns-', '').padEnd(36, '0'), addressTexts(addresses, subnets), {
      macAddress: mac,
      deviceOwner: 'network:dhcp',
    })
    const ports = [...one.ports.map(portFrom), ...one.routers.map(routerPortFrom), dhcpPort]
    const network = aNetwork({ id: text(one.name, 'id') as NetworkId, mtu: 1500 })
    const planned = dhcpNamespace(viewNetwork(network, subnets, ports), config)
    const namespace = planned.namespace ?? assert.fail('no namespace')

    assert.equal(namespace.name, `qdhcp-${network.id}`)
    assert.equal(namespace.devices[0]?.bridge, `brq${network.id.slice(0, 11)}`)
    assert.deepEqual(dnsmasqIn(namespace)?.files, {
      host: read(one.name, 'dnsmasq.host'),
      addn_hosts: read(one.name, 'dnsmasq.addn_hosts'),
      opts: read(one.name, 'dnsmasq.opts'),
    })
    assert.equal(
      ['dnsmasq', ...(dnsmasqIn(namespace)?.arguments ?? [])].join(' '),
      read(one.name, 'dnsmasq.command').trim(),
    )
    assert.deepEqual(namespace.devices[0]?.name, device)
    assert.deepEqual(
      namespace.routes.map(({ gateway }) => gateway),
      routes,
    )
    // Neutron puts the IPv6 metadata address on every network; we where it can be used.
    const hasIpv6 = subnets.some(({ ipVersion }) => ipVersion === 6)
    const wanted = addresses.filter((address) => hasIpv6 || address !== 'fe80::a9fe:a9fe/64')
    assert.deepEqual([...(namespace.devices[0]?.addresses ?? [])].sort(), wanted.sort())
    // Where Neutron sends guests to a router it stops answering; we answer on for those that hold the old route.
    const listening = read(one.name, 'listening.txt').match(/\S+:80 /g) ?? []
    assert.equal(planned.decision.sendsGuests, listening.length > 0)
    assert.ok(namespace.listeners.length > 0)
  })
}

test('initial leases are those the agent wrote for the ports of a routed network', () => {
  const subnets = ['rtd_s', 'rtd_s6'].map(subnetFrom)
  const routers = cases[3]?.routers.map(routerPortFrom) ?? []
  const dhcpPort = aPort('71317174', [`${text('rtd_s', 'id')}=10.10.2.2`], { deviceOwner: 'network:dhcp' })
  const ports = [...['p_rtd', 'p_rtd_dupmac'].map(portFrom), ...routers, dhcpPort]
  const planned = dhcpNamespace(viewNetwork(aNetwork(), subnets, ports), config)
  const leases = dnsmasqIn(planned.namespace)?.initialLeases.map(
    ({ mac, address, name }) => `${mac} ${address} ${name} *`,
  )
  const golden = read('rtd', 'dnsmasq.leases').trim().split('\n')
  const withoutExpiry = golden.map((line) => line.slice(line.indexOf(' ') + 1))
  assert.deepEqual([...(leases ?? [])].sort(), withoutExpiry.sort())
})

function read(network: string, file: string): string {
  return readFileSync(new URL(`${network}/${file}`, GOLDEN), 'utf8')
}

type Json = Readonly<Record<string, unknown>>
const objects: Readonly<Record<string, Json>> = JSON.parse(readFileSync(new URL('objects.json', GOLDEN), 'utf8'))

function object(key: string): Json {
  return objects[key] ?? assert.fail(`objects.json has no ${key}`)
}

function text(key: string, field: string): string {
  return String(object(key)[field])
}

function subnetFrom(key: string): Subnet {
  const json = object(key)
  const { host_routes: routes, dns_nameservers: servers } = json as {
    host_routes: { destination: string; nexthop: string }[]
    dns_nameservers: string[]
  }
  return aSubnet(text(key, 'id'), text(key, 'cidr'), {
    gatewayIp: json['gateway_ip'] === null ? null : (parseIpAddress(text(key, 'gateway_ip')) ?? assert.fail()),
    enableDhcp: json['enable_dhcp'] === true,
    dnsNameservers: servers.map((server) => parseIpAddress(server) ?? assert.fail()),
    hostRoutes: routes.map(({ destination, nexthop }) => aRoute(destination, nexthop)),
    ipv6AddressMode: json['ipv6_address_mode'] as Ipv6Mode | null,
    ipv6RaMode: json['ipv6_ra_mode'] as Ipv6Mode | null,
  })
}

function portFrom(key: string): Port {
  const addresses = object(key)['fixed_ips'] as { subnet_id: string; ip_address: string }[]
  return aPort(
    text(key, 'id'),
    addresses.map(({ subnet_id, ip_address }) => `${subnet_id}=${ip_address}`),
    { macAddress: text(key, 'mac_address') as MacAddress, deviceOwner: text(key, 'device_owner') },
  )
}

function routerPortFrom({ key, mac, address }: Case['routers'][number]): Port {
  return aPort(text(key, 'port_id'), [`${text(key, 'subnet_id')}=${address}`], {
    macAddress: mac as MacAddress,
    deviceOwner: 'network:router_interface',
    deviceId: text(key, 'id'),
  })
}

/** What `ip` showed of the device in the agent's namespace. */
function readDevice(network: string) {
  const shown = read(network, 'ip.txt')
  const mac = (/link\/ether (\S+)/.exec(shown)?.[1] ?? assert.fail()) as MacAddress
  const behind = shown.slice(shown.indexOf('link/ether'))
  const own = `${eui64Address('fe80::/64' as Cidr, mac)}/64`
  return {
    device: /2: (ns-\S+)@/.exec(shown)?.[1] ?? assert.fail(),
    mac,
    addresses: [...behind.matchAll(/inet6? (\S+)/g)]
      .map((match) => match[1] ?? '')
      .filter((address) => address !== own),
    routes: [...shown.matchAll(/default via (\S+)/g)].map((match) => match[1]),
  }
}

/** The fixed IPs among a device's addresses. */
function addressTexts(addresses: readonly string[], subnets: readonly Subnet[]): readonly string[] {
  return addresses.flatMap((text) => {
    const address = text.slice(0, text.indexOf('/'))
    const family = address.includes(':') ? 6 : 4
    const subnet = subnets.find(({ ipVersion }) => ipVersion === family)
    const isFixed = !address.startsWith('169.254.') && !address.startsWith('fe80:')
    return isFixed && subnet !== undefined ? [`${subnet.id as SubnetId}=${address}`] : []
  })
}

function dnsmasqIn(namespace: Namespace | undefined): Dnsmasq | undefined {
  return namespace?.programs.find((program) => program.kind === 'dnsmasq')
}
