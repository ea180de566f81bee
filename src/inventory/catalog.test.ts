import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  floatingIp,
  GROUP,
  NETWORK,
  PROJECT,
  port,
  portId,
  put,
  ROUTER,
  SUBNET,
  server,
  serverId,
  serverWithPort,
  surroundings,
} from '../../test/contract/sample-records.ts'
import { openInventory } from './catalog.ts'
import { openMemoryStore } from './memory-store.ts'
import type { Cidr, IpAddress, MacAddress } from './records/address.ts'
import type { NetworkId, PortId, RouterId, SubnetId } from './records/ids.ts'
import type { Change } from './records/records.ts'
import type { InventoryStore } from './store.ts'

const base = [...surroundings, ...serverWithPort(11)]

/** An inventory with these records, and a way to change it that returns when the change can be seen. */
async function opened(changes: readonly Change[]) {
  const store = openMemoryStore()
  await store.commit(changes, 0)
  const inventory = openInventory(store)
  await inventory.ready
  return {
    inventory,
    async change(...more: readonly Change[]) {
      const seen = Promise.withResolvers<void>()
      const end = inventory.onChange(() => seen.resolve())
      await store.commit(more, inventory.sequence)
      await seen.promise
      end()
    },
  }
}

const dhcpPort = (address: string) =>
  put(
    'port',
    port(2, {
      id: portId(2),
      deviceId: 'dhcp-x',
      deviceOwner: 'network:dhcp',
      fixedIps: [{ subnetId: SUBNET, ipAddress: address as IpAddress }],
    }),
  )

describe('an instance', () => {
  test('is the server joined with what it refers to', async () => {
    const { inventory } = await opened([...base, floatingIp(11), dhcpPort('10.0.0.2')])
    const instance = inventory.instance(serverId(11).toUpperCase())
    assert.equal(instance?.flavorName, 'm1.small')
    assert.deepEqual(instance?.ec2, {
      instanceId: 'i-0000000b',
      imageId: 'ami-00000001',
      kernelId: null,
      ramdiskId: null,
    })
    assert.deepEqual(instance?.securityGroups, ['default'])
    const [vif] = instance?.interfaces ?? []
    assert.equal(vif?.deviceName, `tap${portId(11).slice(0, 11)}`)
    assert.equal(vif?.mtu, 1450)
    assert.deepEqual(vif?.subnets, [
      {
        ipVersion: 4,
        cidr: '10.0.0.0/24',
        gateway: '10.0.0.1',
        dnsServers: ['10.0.0.53'],
        routes: [{ destination: '172.16.0.0/12', gateway: '10.0.0.254' }],
        dhcpServer: '10.0.0.2',
        enableDhcp: true,
        ipv6AddressMode: null,
        addresses: [{ address: '10.0.0.11', floatingIps: ['198.51.100.11'] }],
      },
    ])
  })

  const changes: readonly { name: string; changes: readonly Change[]; isNew: boolean }[] = [
    { name: 'its server', changes: [put('server', server(11, { password: 'posted' }))], isNew: true },
    { name: 'its port', changes: [put('port', port(11, { vifType: 'tap' }))], isNew: true },
    {
      name: 'its security group',
      changes: [put('security_group', { id: GROUP, projectId: PROJECT, name: 'web', description: '' })],
      isNew: true,
    },
    { name: 'a floating IP it gets', changes: [floatingIp(11)], isNew: true },
    { name: 'a DHCP port on its network', changes: [dhcpPort('10.0.0.2')], isNew: true },
    { name: 'another server', changes: serverWithPort(12), isNew: false },
    { name: "another server's floating IP", changes: [...serverWithPort(12), floatingIp(12)], isNew: false },
    {
      name: 'a project',
      changes: [put('project', { id: PROJECT, name: 'renamed', metadataTokens: 'off' })],
      isNew: false,
    },
  ]
  for (const { name, changes: made, isNew } of changes) {
    test(`is ${isNew ? 'another' : 'the same'} object after a change of ${name}`, async () => {
      const { inventory, change } = await opened(base)
      const before = inventory.instance(serverId(11))
      assert.equal(inventory.instance(serverId(11)), before)
      await change(...made)
      const after = inventory.instance(serverId(11))
      assert.equal(after !== before, isNew)
      assert.equal(inventory.instance(serverId(11)), after)
    })
  }

  test('is gone with its server', async () => {
    const { inventory, change } = await opened(base)
    assert.ok(inventory.instance(serverId(11)))
    await change({ op: 'delete', noun: 'server', id: serverId(11) })
    assert.equal(inventory.instance(serverId(11)), undefined)
  })

  test('shows what a change of a floating IP left and what it reached', async () => {
    const { inventory, change } = await opened([...base, ...serverWithPort(12), floatingIp(11)])
    const floatingOf = (number: number) =>
      inventory.instance(serverId(number))?.interfaces[0]?.subnets[0]?.addresses[0]?.floatingIps
    assert.deepEqual([floatingOf(11), floatingOf(12)], [['198.51.100.11'], []])
    const moved = floatingIp(11)
    assert.ok(moved.op === 'put' && moved.noun === 'floating_ip')
    await change(put('floating_ip', { ...moved.record, portId: portId(12), fixedIpAddress: '10.0.0.12' as IpAddress }))
    assert.deepEqual([floatingOf(11), floatingOf(12)], [[], ['198.51.100.11']])
  })
})

describe('looking for ports', () => {
  const other = '00000005-0000-4000-8000-00000000000f' as NetworkId
  const otherSubnet = '00000006-0000-4000-8000-00000000000f' as SubnetId
  const subnet = surroundings.find((change) => change.noun === 'subnet')
  assert.ok(subnet?.op === 'put' && subnet.noun === 'subnet')
  /** Another network with the same range, whose subnet no router serves. */
  const twin: readonly Change[] = [
    put('network', {
      id: other,
      projectId: PROJECT,
      name: 'twin',
      adminStateUp: true,
      mtu: 1500,
      shared: false,
      external: false,
    }),
    put('subnet', { ...subnet.record, id: otherSubnet, networkId: other }),
    put(
      'port',
      port(21, {
        networkId: other,
        macAddress: port(11).macAddress,
        fixedIps: [{ subnetId: otherSubnet, ipAddress: '10.0.0.11' as IpAddress }],
      }),
    ),
  ]
  const routerPort = (number: number, network: NetworkId, subnetId: SubnetId, ipAddress: string) =>
    put(
      'port',
      port(number, {
        networkId: network,
        deviceId: ROUTER as string as never,
        deviceOwner: 'network:router_interface',
        fixedIps: [{ subnetId, ipAddress: ipAddress as IpAddress }],
      }),
    )
  const fixedIp = { fixedIp: '10.0.0.11' as IpAddress }
  const mac = { mac: port(11).macAddress }
  const found = (ports: readonly { readonly id: PortId }[]) => ports.map(({ id }) => id)

  test('on a network, by fixed IP or MAC', async () => {
    const { inventory } = await opened([...base, ...twin])
    for (const client of [fixedIp, mac]) {
      assert.deepEqual(found(inventory.ports({ networkId: NETWORK }, client)), [portId(11)])
      assert.deepEqual(found(inventory.ports({ networkId: other }, client)), [portId(21)])
    }
    assert.deepEqual(inventory.ports({ networkId: NETWORK }, { fixedIp: '10.0.0.99' as IpAddress }), [])
  })

  test('of a router: only where it has an interface, and nowhere when it has none', async () => {
    const { inventory, change } = await opened([...base, ...twin])
    assert.deepEqual(inventory.ports({ routerId: ROUTER }, fixedIp), [])
    assert.deepEqual(inventory.ports({ routerId: 'unknown' as RouterId }, fixedIp), [])
    await change(routerPort(1, NETWORK, SUBNET, '10.0.0.1'))
    assert.deepEqual(found(inventory.ports({ routerId: ROUTER }, fixedIp)), [portId(11)])
    assert.deepEqual(found(inventory.ports({ routerId: ROUTER }, mac)), [portId(11)])
  })

  test('of a router: an equal address in a subnet of its networks that it does not serve is not found', async () => {
    const served = {
      ...subnet.record,
      id: '00000006-0000-4000-8000-0000000000aa' as SubnetId,
      networkId: other,
      cidr: '10.9.0.0/24' as Cidr,
    }
    const { inventory } = await opened([
      ...base,
      ...twin,
      put('subnet', served),
      routerPort(1, NETWORK, SUBNET, '10.0.0.1'),
      routerPort(3, other, served.id, '10.9.0.1'),
    ])
    assert.deepEqual(found(inventory.ports({ routerId: ROUTER }, fixedIp)), [portId(11)])
    assert.deepEqual(found(inventory.ports({ routerId: ROUTER }, mac)), [portId(11), portId(21)])
  })

  test('follows ports that change, swap their addresses, or go', async () => {
    const { inventory, change } = await opened([...base, ...serverWithPort(12)])
    await change(
      put('port', port(11, { fixedIps: port(12).fixedIps, macAddress: port(12).macAddress })),
      put('port', port(12, { fixedIps: port(11).fixedIps, macAddress: port(11).macAddress })),
    )
    assert.deepEqual(found(inventory.ports({ networkId: NETWORK }, fixedIp)), [portId(12)])
    assert.deepEqual(found(inventory.ports({ networkId: NETWORK }, { mac: port(12).macAddress as MacAddress })), [
      portId(11),
    ])
    await change({ op: 'delete', noun: 'server', id: serverId(12) }, { op: 'delete', noun: 'port', id: portId(12) })
    assert.deepEqual(inventory.ports({ networkId: NETWORK }, fixedIp), [])
  })
})

describe('the catalog', () => {
  test('is not ready before the store could be read, says why, and tries again', async () => {
    const store = openMemoryStore()
    await store.commit(base, 0)
    let failures = 2
    const warnings: string[] = []
    const flaky: InventoryStore = {
      ...store,
      async load() {
        failures -= 1
        if (failures >= 0) throw new Error('locked')
        return await store.load()
      },
    }
    const inventory = openInventory(flaky, {
      warn: (fields) => warnings.push(String((fields as { err: Error }).err.message)),
    })
    assert.equal(inventory.records.server.size, 0)
    await inventory.ready
    assert.equal(inventory.records.server.size, 1)
    assert.deepEqual(warnings, ['locked', 'locked'])
  })

  test('tells which nouns a commit changed, when it can be seen', async () => {
    const { inventory, change } = await opened(surroundings)
    const seen: unknown[] = []
    inventory.onChange((nouns) => seen.push([[...nouns].toSorted(), inventory.sequence, inventory.records.server.size]))
    await change(...serverWithPort(11))
    assert.deepEqual(seen, [[['port', 'server'], 2, 1]])
  })

  test('hears nothing more once it is closed', async () => {
    const store = openMemoryStore()
    const inventory = openInventory(store)
    const other = openInventory(store)
    await Promise.all([inventory.ready, other.ready])
    inventory.close()
    const seen = Promise.withResolvers<void>()
    other.onChange(() => seen.resolve())
    await store.commit(base, 0)
    await seen.promise
    assert.equal(inventory.records.server.size, 0)
  })
})
