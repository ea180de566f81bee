import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { aNetwork, aPort, aRouter, aSubnet } from '../../../test/support/network-records.ts'
import { canonicalFirewall, ownTables, parseIptablesSave } from '../../host/firewall.ts'
import type { Firewall, Namespace } from '../../host/namespace.ts'
import type { Cidr, IpAddress, MacAddress } from '../../inventory/records/address.ts'
import type { NetworkId, RouterId } from '../../inventory/records/ids.ts'
import type { Ipv6Mode } from '../../inventory/records/subnet.ts'
import { DATAPATH_DEFAULTS } from '../config.ts'
import { routerNamespace } from './namespace.ts'
import { viewRouter } from './router-view.ts'

// What Neutron's L3 agent (21.0.0, Linux bridge) made of a router with two IPv4 subnets and an IPv6 one. The records in
// objects.json are Neutron's own answers; MACs and addresses of the interfaces are read off their devices.

const GOLDEN = new URL('../../../test/golden/neutron/', import.meta.url)

test('devices, addresses, settings, listener and radvd are those of the L3 agent', () => {
  const namespace = planned()
  const shown = read('netns.txt')
  assert.equal(namespace.name, `qrouter-${text('router', 'id')}`)
  assert.deepEqual(
    namespace.devices.map(({ name, mac, mtu, addresses }) => ({ name, mac, mtu, addresses })),
    devicesIn(shown),
  )
  const settings = new Map([...shown.matchAll(/^(net\.\S+) = (\S+)$/gm)].map(([, name, value]) => [name, value]))
  const ownSettings = Object.entries(namespace.sysctls).filter(([name]) => !name.endsWith('_notify'))
  for (const [name, value] of ownSettings) assert.equal(settings.get(name), value, name)
  const [listener] = namespace.listeners
  assert.match(read('haproxy.conf'), new RegExp(`bind ${listener?.address}:${listener?.port}\\n`))
  const [radvd] = namespace.programs
  assert.ok(radvd?.kind === 'radvd')
  assert.equal(radvd.files['radvd.conf'], read('radvd.conf'))
})

/** The rule that the L3 agent writes at the router's creation and loses at its first processing. */
const KEPT = '-A neutron-l3-agent-scope -m mark --mark 0x1/0xffff -j DROP'

test('rules are those of the L3 agent, and the one that it loses', () => {
  const golden: Firewall = {
    4: ownTables(parseIptablesSave(read('iptables-save.txt'))),
    6: ownTables(parseIptablesSave(read('ip6tables-save.txt'))),
  }
  const ours = canonicalFirewall(planned().firewall)
  for (const family of [4, 6] as const) {
    const without = ours[family].map((table) => ({ ...table, rules: table.rules.filter((rule) => rule !== KEPT) }))
    assert.deepEqual(without, golden[family])
    const kept = ours[family].flatMap(({ name, rules }) => (rules.includes(KEPT) ? [name] : []))
    assert.deepEqual(kept, ['filter'])
  }
})

test('haproxy reads what the L3 agent writes for it, but for what is named', () => {
  const namespace = planned('haproxy')
  const haproxy = namespace.programs.find(({ kind }) => kind === 'haproxy')
  assert.ok(haproxy?.kind === 'haproxy')
  assert.deepEqual(namespace.listeners, [])
  const ours = haproxy.files['haproxy.conf'].split('\n')
  const golden = read('haproxy.conf').split('\n')
  const meaning = (lines: readonly string[]) => lines.filter((line) => line.trim() !== '')
  assert.deepEqual(meaning(ours.filter((line) => !golden.includes(line))), [
    '    bind [::]:9697',
    '    http-request del-header X-Forwarded-For',
  ])
  assert.deepEqual(
    meaning(golden.filter((line) => !ours.includes(line))).map((line) => line.trim().split(/\s+/, 2).join(' ')),
    [`pidfile <NT_DIR>/state/external/pids/${text('router', 'id')}.pid.haproxy`, 'daemon', 'bind :::9697'],
  )
})

function planned(metadataProxyDriver: 'native' | 'haproxy' = 'native'): Namespace {
  const id = text('router', 'id') as RouterId
  const devices = devicesIn(read('netns.txt'))
  const subnets = ['rtd_s', 'rtd_s6', 'rt2_s'].map((key) =>
    aSubnet(text(key, 'id'), text(key, 'cidr') as Cidr, {
      networkId: text(key, 'network_id') as NetworkId,
      gatewayIp: text(key, 'gateway_ip') as IpAddress,
      ipv6RaMode: objects[key]?.['ipv6_ra_mode'] as Ipv6Mode | null,
    }),
  )
  const ports = ['rif_rtd_s', 'rif_rtd_s6', 'rif_rt2_s'].map((key) => {
    const port = text(key, 'port_id')
    const device = devices.find(({ name }) => name === `qr-${port.slice(0, 11)}`) ?? assert.fail(port)
    const addresses = device.addresses.map((one) => `${text(key, 'subnet_id')}=${one.slice(0, one.indexOf('/'))}`)
    return aPort(port, addresses, {
      networkId: text(key, 'network_id') as NetworkId,
      macAddress: device.mac as MacAddress,
      deviceId: id,
      deviceOwner: 'network:router_interface',
    })
  })
  const networks = ['rtd', 'rt2'].map((key) => aNetwork({ id: text(key, 'id') as NetworkId, mtu: 1500 }))
  const view = viewRouter({ id, router: aRouter(id), ports, formers: [], networks, subnets, floatingIps: [] })
  const config = {
    ...DATAPATH_DEFAULTS,
    statePath: '<NT_DIR>/state',
    metadataProxySocket: '<NT_DIR>/run/metadata_proxy',
    metadataProxyDriver,
  }
  return routerNamespace(view, config).namespace ?? assert.fail('no namespace')
}

/** Devices as `ip addr` shows them, without the addresses that the kernel makes of MACs. */
function devicesIn(shown: string) {
  const blocks = shown.slice(shown.indexOf('# ip addr'), shown.indexOf('# ip route')).split(/^\d+: /m)
  return blocks
    .filter((block) => block.startsWith('qr-'))
    .map((block) => ({
      name: block.slice(0, block.indexOf('@')),
      mac: /link\/ether (\S+)/.exec(block)?.[1],
      mtu: Number(/mtu (\d+)/.exec(block)?.[1]),
      addresses: [...block.matchAll(/inet6? (\S+).* scope global/g)].map(([, address = '']) => address),
    }))
}

type Json = Readonly<Record<string, unknown>>
const objects: Readonly<Record<string, Json>> = JSON.parse(readFileSync(new URL('objects.json', GOLDEN), 'utf8'))

function text(key: string, field: string): string {
  return String((objects[key] ?? assert.fail(`objects.json has no ${key}`))[field])
}

function read(file: string): string {
  return readFileSync(new URL(`router/${file}`, GOLDEN), 'utf8')
}
