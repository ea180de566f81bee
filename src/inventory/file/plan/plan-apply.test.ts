import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { accepted, inventoryUnderTest } from '../../../../test/contract/plan-inventory.ts'
import type { Port } from '../../records/port.ts'
import type { Noun, RecordSet, Records } from '../../records/records.ts'
import { dhcpDeviceId } from './dhcp-ports.ts'
import { formatDifferences } from './differences.ts'

function only<N extends Exclude<Noun, 'port'>>(noun: N, name: string, records: RecordSet): Records[N] {
  const all = [...(records[noun] as ReadonlyMap<string, Records[N]>).values()]
  const found = all.filter((record) => 'name' in record && record.name === name)
  assert.equal(found.length, 1, `${found.length} ${noun}s are named ${name}`)
  return found[0] as Records[N]
}

function portsOf(server: string, records: RecordSet): Port[] {
  return only('server', server, records).portIds.map((id) => records.port.get(id) as Port)
}

function addressesOf(server: string, records: RecordSet): string[] {
  return portsOf(server, records).flatMap(({ fixedIps }) => fixedIps.map(({ ipAddress }) => ipAddress))
}

const net = 'networks: [{name: n, subnets: [{name: s, cidr: 10.0.0.0/24}]}]'

describe('the examples', () => {
  for (const name of ['lab.yaml', 'shop.yaml']) {
    test(`${name} is accepted, and changes nothing the second time`, () => {
      const text = readFileSync(new URL(`../../../../examples/${name}`, import.meta.url), 'utf8')
      const inventory = inventoryUnderTest()
      assert.notEqual(accepted(inventory.apply(text)).changes.length, 0)
      assert.deepEqual(accepted(inventory.apply(text)).changes, [])
      assert.deepEqual(accepted(inventory.apply(text, { prune: true })).changes, [])
    })
  }

  test('lab.yaml has equal addresses on two networks, and a server behind each', () => {
    const inventory = inventoryUnderTest()
    inventory.apply(readFileSync(new URL('../../../../examples/lab.yaml', import.meta.url), 'utf8'))
    for (const colour of ['blue', 'green']) {
      assert.deepEqual(addressesOf(`${colour}-1`, inventory.records), ['10.0.0.11'])
      assert.deepEqual(addressesOf(`${colour}-2`, inventory.records), ['10.0.0.12'])
    }
    const servers = [...inventory.records.server.values()]
    assert.equal(new Set(servers.map(({ userData }) => userData)).size, 4)
    assert.ok(servers.every(({ hypervisor }) => hypervisor === 'namespace'))
  })
})

describe('what is assigned', () => {
  test('follows the defaults of Neutron and Nova', () => {
    const inventory = inventoryUnderTest()
    accepted(inventory.apply(`${net}\nservers: [{name: "Web Server_1"}, {name: b}]`))
    const { records } = inventory
    const subnet = only('subnet', 's', records)
    assert.equal(subnet.gatewayIp, '10.0.0.1')
    assert.deepEqual(subnet.allocationPools, [{ start: '10.0.0.2', end: '10.0.0.254' }])
    const dhcp = [...records.port.values()].filter(({ deviceOwner }) => deviceOwner === 'network:dhcp')
    assert.deepEqual(dhcp[0]?.fixedIps, [{ subnetId: subnet.id, ipAddress: '10.0.0.2' }])
    assert.equal(dhcp[0]?.deviceId, dhcpDeviceId('net1', subnet.networkId))
    assert.deepEqual(addressesOf('b', records), ['10.0.0.4'])
    const server = only('server', 'Web Server_1', records)
    assert.equal(server.hostname, 'web-server-1')
    assert.equal(server.ec2Number, 1)
    assert.match(server.reservationId, /^r-[0-9a-z]{8}$/)
    assert.match(portsOf('b', records)[0]?.macAddress ?? '', /^fa:16:3e:/)
    assert.match(only('project', 'default', records).id, /^[0-9a-f]{32}$/)
    const groups = portsOf('b', records)[0]?.securityGroupIds.map((id) => records.security_group.get(id)?.name)
    assert.deepEqual(groups, ['default'])
  })

  test('the DHCP port is known by the host and the network', () => {
    const id = dhcpDeviceId('net1.example.org', '76af9baf-9fa4-4631-8f1d-5610ef87a036' as never)
    assert.equal(id, 'dhcp04771cbe-437e-5f2c-860d-465c2ee070fb-76af9baf-9fa4-4631-8f1d-5610ef87a036')
  })

  const pools = [
    {
      name: 'gateway in the middle',
      subnet: 'cidr: 10.0.0.0/29, gateway_ip: 10.0.0.3',
      want: '10.0.0.1-10.0.0.2 10.0.0.4-10.0.0.6',
    },
    { name: 'no gateway', subnet: 'cidr: 10.0.0.0/24, gateway_ip: null', want: '10.0.0.1-10.0.0.254' },
    { name: 'host bits are cleared', subnet: 'cidr: 10.0.0.77/30', want: '10.0.0.78-10.0.0.78' },
    { name: 'IPv6', subnet: 'cidr: "fd00:1::/64"', want: 'fd00:1::1-fd00:1::ffff:ffff:ffff:ffff' },
  ]
  for (const { name, subnet, want } of pools) {
    test(`allocation pools: ${name}`, () => {
      const inventory = inventoryUnderTest()
      accepted(inventory.apply(`networks: [{name: n, subnets: [{name: s, enable_dhcp: false, ${subnet}}]}]`))
      const found = only('subnet', 's', inventory.records)
      assert.equal(found.allocationPools.map(({ start, end }) => `${start}-${end}`).join(' '), want)
      if (name === 'IPv6') assert.equal(found.gatewayIp, 'fd00:1::')
    })
  }

  test('a SLAAC address is made of the MAC, beside the IPv4 address asked for', () => {
    const inventory = inventoryUnderTest()
    const subnets = '[{cidr: 10.0.0.0/24}, {cidr: "2001:db8::/64", ipv6_address_mode: slaac}]'
    accepted(
      inventory.apply(
        `networks: [{name: n, subnets: ${subnets}}]\nservers: [{name: a, networks: [{network: n, fixed_ip: 10.0.0.9, mac_address: "fa:16:3e:00:00:01"}]}]`,
      ),
    )
    assert.deepEqual(addressesOf('a', inventory.records), ['10.0.0.9', '2001:db8::f816:3eff:fe00:1'])
  })

  test('what the file asks for goes before what is made up, wherever it stands', () => {
    const inventory = inventoryUnderTest()
    accepted(inventory.apply(`${net}\nservers: [{name: a}, {name: b, networks: [{network: n, fixed_ip: 10.0.0.2}]}]`))
    assert.deepEqual(addressesOf('b', inventory.records), ['10.0.0.2'])
  })
})

describe('applying again', () => {
  const servers = (text: string) => `${net}\nkeypairs: [{name: k, public_key: ssh-ed25519 AAAA}]\nservers: [${text}]`

  test('keeps what was assigned when other things change', () => {
    const inventory = inventoryUnderTest()
    accepted(inventory.apply(servers('{name: a, key_name: k}, {name: b}')))
    const before = only('server', 'b', inventory.records)
    const addresses = addressesOf('b', inventory.records)
    const plan = accepted(inventory.apply(servers('{name: c}, {name: b, metadata: {role: web}}')))
    assert.deepEqual(only('server', 'b', inventory.records), { ...before, properties: [['role', 'web']] })
    assert.deepEqual(addressesOf('b', inventory.records), addresses)
    const lines = formatDifferences(plan).map((line) => line.replace(/ \([-0-9a-f]{36}\)$/, ''))
    assert.ok(lines.includes('+ server c') && lines.includes('~ server b'), lines.join('\n'))
    assert.ok(lines.includes('    metadata: {} -> {"role":"web"}'), lines.join('\n'))
    assert.equal(only('server', 'a', inventory.records).name, 'a', 'without --prune nothing is removed')
  })

  test('two servers swap their addresses', () => {
    const inventory = inventoryUnderTest()
    const both = (a: string, b: string) =>
      servers(
        `{name: a, networks: [{network: n, fixed_ip: ${a}}]}, {name: b, networks: [{network: n, fixed_ip: ${b}}]}`,
      )
    accepted(inventory.apply(both('10.0.0.11', '10.0.0.12')))
    accepted(inventory.apply(both('10.0.0.12', '10.0.0.11')))
    assert.deepEqual(addressesOf('a', inventory.records), ['10.0.0.12'])
    assert.deepEqual(addressesOf('b', inventory.records), ['10.0.0.11'])
  })

  test('an interface that is taken away takes its port along', () => {
    const inventory = inventoryUnderTest()
    accepted(inventory.apply(servers('{name: a, networks: [{network: n}, {network: n}]}')))
    const ports = inventory.records.port.size
    accepted(inventory.apply(servers('{name: a, networks: [{network: n}]}')))
    assert.equal(inventory.records.port.size, ports - 1)
  })

  test('the copy of a key stays, and the user is told', () => {
    const inventory = inventoryUnderTest()
    const text = servers('{name: a, key_name: k}')
    accepted(inventory.apply(text))
    const plan = accepted(inventory.apply(text.replace('AAAA', 'BBBB')))
    assert.equal(only('server', 'a', inventory.records).keyData, 'ssh-ed25519 AAAA')
    assert.match(plan.notes.join(), /server a keeps the key k as it was/)
  })

  test('a password that the guest posted stays', () => {
    const inventory = inventoryUnderTest()
    accepted(inventory.apply(servers('{name: a, password: posted}')))
    accepted(inventory.apply(servers('{name: a}')))
    assert.equal(only('server', 'a', inventory.records).password, 'posted')
  })

  test('a file without projects leaves the one it means as it is', () => {
    const inventory = inventoryUnderTest()
    accepted(inventory.apply(`projects: [{name: default, metadata_tokens: required}]\n${net}`))
    assert.deepEqual(accepted(inventory.apply(net)).changes, [])
    assert.equal(only('project', 'default', inventory.records).metadataTokens, 'required')
  })

  test('--prune removes what is not named, and frees its addresses', () => {
    const inventory = inventoryUnderTest()
    const at = (name: string) => servers(`{name: ${name}, networks: [{network: n, fixed_ip: 10.0.0.9}]}`)
    accepted(inventory.apply(at('old')))
    const refused = inventory.apply(at('new'))
    assert.ok(Array.isArray(refused) && /10\.0\.0\.9 is taken by server old/.test(refused.join()), String(refused))
    const plan = accepted(inventory.apply(at('new'), { prune: true }))
    assert.deepEqual(addressesOf('new', inventory.records), ['10.0.0.9'])
    assert.deepEqual(
      [...inventory.records.server.values()].map(({ name }) => name),
      ['new'],
    )
    const removed = plan.differences.filter(({ kind }) => kind === 'removed').map(({ noun }) => noun)
    assert.deepEqual(removed.toSorted(), ['port', 'server'])
  })

  test('a summary shows no secrets', () => {
    const inventory = inventoryUnderTest()
    accepted(inventory.apply(servers('{name: a, admin_pass: first}')))
    const lines = formatDifferences(accepted(inventory.apply(servers('{name: a, admin_pass: second}')))).join('\n')
    assert.match(lines, /admin_pass: \*\*\* -> \*\*\*/)
    assert.doesNotMatch(lines, /first|second/)
  })
})

describe('what a server can hold', () => {
  test('is taken from the file as it stands', () => {
    const inventory = inventoryUnderTest()
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i)
    accepted(
      inventory.apply(
        `
images: [{name: i, ec2_image_id: ami-0000002a, kernel_id: k}, {name: k, ec2_image_id: 7}]
keypairs: [{name: cert, type: x509, public_key: "-----BEGIN CERTIFICATE-----\\nAA\\n"}]
servers:
  - name: DB n°1
    id: 70343C13-039A-547D-874B-8D17D32B43D9
    hostname: db1.internal.example
    image: i
    networks: []
    key_name: cert
    user_data: {file: bytes.bin}
    metadata: {"10": ten, "2": two, "café": "a\\\\b\\nc", __proto__: x}
    ec2_instance_id: i-0000000f
    reservation_id: r-peer0001
    launch_index: 3
    availability_zone: null
    root_device_name: null
    pinned_cpus: [[5, 1, 3], [2, 12]]
    boot_roles: [member, reader]
    personality: [{path: /bin.dat, contents: {base64: AAEC}}]
    block_device_mapping_v2:
      - {source_type: volume, uuid: 14c82a81-e1fc-5e39-b529-2755a46b2380, device_name: /dev/vdb, tag: data}
    devices: [{type: nic, mac: "fa:16:3e:00:00:01", vlan: 300, bus: pci, address: "0000:00:03.0", tags: [a]}]
  - {name: gone, image: null, networks: [], key_name: gone, key_data: ssh-ed25519 AAAA, user_data: ""}
`,
        { files: { 'bytes.bin': bytes } },
      ),
    )
    const server = only('server', 'DB n°1', inventory.records)
    assert.equal(server.id, '70343c13-039a-547d-874b-8d17d32b43d9')
    assert.deepEqual(Uint8Array.from(Buffer.from(server.userData ?? '', 'base64')), bytes)
    assert.deepEqual(server.properties, [
      ['10', 'ten'],
      ['2', 'two'],
      ['café', 'a\\b\nc'],
      ['__proto__', 'x'],
    ])
    assert.deepEqual([server.ec2Number, server.launchIndex, server.reservationId], [15, 3, 'r-peer0001'])
    assert.deepEqual([server.availabilityZone, server.rootDeviceName], [null, null])
    assert.deepEqual(server.pinnedCpus, [
      [5, 1, 3],
      [2, 12],
    ])
    assert.equal(server.keypair?.type, 'x509')
    assert.deepEqual(server.files, [{ path: '/bin.dat', contents: 'AAEC' }])
    assert.deepEqual(
      server.devices.map(({ type, tags }) => [type, tags]),
      [
        ['disk', ['data']],
        ['nic', ['a']],
      ],
    )
    const gone = only('server', 'gone', inventory.records)
    assert.deepEqual([gone.keyName, gone.keyData, gone.keypair, gone.userData], ['gone', 'ssh-ed25519 AAAA', null, ''])
    assert.equal(gone.imageId, null)
    assert.deepEqual(
      [...inventory.records.image.values()].map(({ ec2Number }) => ec2Number),
      [42, 7],
    )
  })
})

describe('routers and floating IPs', () => {
  const routed = `
networks:
  - {name: out, "router:external": true, subnets: [{name: out4, cidr: 198.51.100.0/24, enable_dhcp: false}]}
  - name: n
    subnets: [{name: s, cidr: 10.0.0.0/24}, {name: v6, cidr: "2001:db8::/64"}, {name: v6b, cidr: "2001:db8:1::/64"}]
routers: [{name: r, external_gateway_info: {network: out}, interfaces: [s, v6, v6b]}]
servers: [{name: a, networks: [{network: n}]}]
floating_ips: [{floating_network: out, server: a}, {floating_network: out, floating_ip_address: 198.51.100.2}]
`
  test('have their addresses, which stay', () => {
    const inventory = inventoryUnderTest()
    accepted(inventory.apply(routed))
    const { records } = inventory
    const router = only('router', 'r', records)
    const interfaces = [...records.port.values()].filter(({ deviceId }) => deviceId === router.id)
    assert.deepEqual(
      interfaces.map(({ fixedIps }) => fixedIps.map(({ ipAddress }) => ipAddress)),
      [['10.0.0.1'], ['2001:db8::', '2001:db8:1::']],
    )
    assert.deepEqual(
      router.externalGateway?.fixedIps.map(({ ipAddress }) => ipAddress),
      ['198.51.100.3'],
    )
    const floating = [...records.floating_ip.values()].map(({ address, fixedIpAddress }) => [address, fixedIpAddress])
    assert.deepEqual(floating, [
      ['198.51.100.4', addressesOf('a', records)[0]],
      ['198.51.100.2', null],
    ])
    assert.deepEqual(accepted(inventory.apply(routed)).changes, [])
  })

  test('a floating IP outlives the port it stood for', () => {
    const inventory = inventoryUnderTest()
    accepted(inventory.apply(routed))
    const [text] = routed.split('floating_ips')
    accepted(inventory.apply((text ?? '').replace('[{network: n}]', '[]')))
    assert.deepEqual(
      [...inventory.records.floating_ip.values()].map(({ portId }) => portId),
      [null, null],
    )
  })
})
