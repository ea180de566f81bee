import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accepted, inventoryUnderTest } from '../../../../test/contract/plan-inventory.ts'
import { contains } from '../../records/address.ts'
import { isInstancePort } from '../../records/port.ts'
import type { RecordSet } from '../../records/records.ts'

/** Numerical Recipes' linear congruential generator: the same inventories on every run. */
function seeded(seed: number) {
  let state = seed
  const below = (limit: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * limit)
  }
  const pick = <T>(items: readonly T[]): T => items[below(items.length)] as T
  return { below, pick, chance: (percent: number) => below(100) < percent }
}

type Random = ReturnType<typeof seeded>

interface Lab {
  networks: { name: string; subnets: { name: string; cidr: string; ipv6_address_mode?: string }[] }[]
  routers: { name: string; interfaces: string[] }[]
  ports: { name: string; network: string }[]
  servers: { name: string; launch_index: number; networks: { network?: string; port?: string; fixed_ip?: string }[] }[]
}

/** An inventory that is valid: what it asks for is neither taken nor outside. Ranges of networks may be equal. */
function randomLab({ below, pick, chance }: Random): Lab {
  const networks = Array.from({ length: 1 + below(4) }, (_, n) => ({
    name: `net-${n}`,
    subnets: [
      { name: `four-${n}`, cidr: `10.0.${chance(50) ? 0 : n}.0/24` },
      ...(chance(40) ? [{ name: `six-${n}`, cidr: `2001:db8:${n}::/64`, ipv6_address_mode: 'slaac' }] : []),
      ...(chance(30) ? [{ name: `stateful-${n}`, cidr: `2001:db8:${n}:1::/64` }] : []),
    ],
  }))
  const ports = Array.from({ length: below(4) }, (_, n) => ({ name: `port-${n}`, network: pick(networks).name }))
  const unbound = [...ports]
  const servers = Array.from({ length: below(8) }, (_, n) => ({
    name: `server-${n}`,
    launch_index: below(2),
    networks: Array.from({ length: below(4) }, (_, i) => {
      const port = chance(20) ? unbound.pop() : undefined
      if (port !== undefined) return { port: port.name }
      const { name, subnets } = pick(networks)
      const prefix = subnets[0]?.cidr.slice(0, -4)
      return chance(30) ? { network: name, fixed_ip: `${prefix}${100 + 10 * n + i}` } : { network: name }
    }),
  }))
  const routers = chance(50) ? [{ name: 'router', interfaces: [pick(networks).subnets[0]?.name ?? ''] }] : []
  return { networks, routers, ports, servers }
}

/** A step a user may take: add, drop or change something; it may be nonsense. */
function edited(lab: Lab, random: Random): Lab {
  const { below, pick, chance } = random
  const next = structuredClone(lab)
  const other = randomLab(random)
  const edits: (() => unknown)[] = [
    () => next.servers.splice(below(next.servers.length + 1), 1),
    () => next.networks.splice(below(next.networks.length + 1), 1),
    () => next.ports.splice(below(next.ports.length + 1), 1),
    () => next.routers.pop(),
    () => next.servers.reverse(),
    () => Object.assign(next, { networks: other.networks }),
    () => Object.assign(next, { servers: other.servers }),
    () => pick(next.servers)?.networks.reverse(),
    () => pick(next.servers)?.networks.splice(0, 1),
    () => pick(next.servers)?.networks.push({ network: 'net-0', fixed_ip: `10.0.0.${below(256)}` }),
    () => next.routers.push({ name: `router-${below(3)}`, interfaces: [`four-${below(4)}`] }),
  ]
  pick(edits)()
  return chance(30) ? edited(next, random) : next
}

/** What must be true of every inventory, whatever happened to it. */
function assertSound(records: RecordSet, seed: string): void {
  const places = new Set<string>()
  for (const port of records.port.values()) {
    assert.ok(records.network.has(port.networkId), `${seed}: port on a network that is gone`)
    for (const client of [port.macAddress, ...port.fixedIps.map(({ ipAddress }) => ipAddress)]) {
      const place = `${port.networkId} ${client}`
      assert.ok(!places.has(place), `${seed}: ${place} twice`)
      places.add(place)
    }
    for (const { subnetId, ipAddress } of port.fixedIps) {
      const subnet = records.subnet.get(subnetId)
      assert.equal(subnet?.networkId, port.networkId, `${seed}: address of a subnet of another network`)
      assert.ok(subnet !== undefined && contains(subnet.cidr, ipAddress), `${seed}: ${ipAddress} outside its subnet`)
    }
    if (isInstancePort(port)) {
      assert.ok(records.server.get(port.deviceId as never)?.portIds.includes(port.id), `${seed}: port of no server`)
    }
  }
  const numbers = new Set([...records.server.values()].map(({ ec2Number }) => ec2Number))
  assert.equal(numbers.size, records.server.size, `${seed}: an EC2 number twice`)
  for (const server of records.server.values()) {
    assert.ok(records.flavor.has(server.flavorId), `${seed}: flavor is gone`)
    for (const id of server.portIds) {
      assert.equal(records.port.get(id)?.deviceId, server.id, `${seed}: server without its port`)
    }
  }
  for (const subnet of records.subnet.values()) {
    assert.ok(records.network.has(subnet.networkId), `${seed}: subnet on a network that is gone`)
    if (!subnet.enableDhcp) continue
    const served = [...records.port.values()].some(
      ({ deviceOwner, fixedIps }) =>
        deviceOwner === 'network:dhcp' && fixedIps.some(({ subnetId }) => subnetId === subnet.id),
    )
    assert.ok(served, `${seed}: no DHCP port in ${subnet.name}`)
  }
}

test('any valid inventory is accepted, and changes nothing when it is applied again', () => {
  for (let seed = 1; seed <= 150; seed += 1) {
    const text = JSON.stringify(randomLab(seeded(seed)))
    const inventory = inventoryUnderTest()
    accepted(inventory.apply(text))
    assertSound(inventory.records, `seed ${seed}`)
    assert.deepEqual(accepted(inventory.apply(text)).changes, [], `seed ${seed}`)
    assert.deepEqual(accepted(inventory.apply(text, { prune: true })).changes, [], `seed ${seed}, pruned`)
  }
})

test('no sequence of edits corrupts an inventory: each is taken in whole or refused whole', () => {
  let taken = 0
  for (let seed = 1; seed <= 60; seed += 1) {
    const random = seeded(seed * 7919)
    const inventory = inventoryUnderTest()
    let lab = randomLab(random)
    for (let step = 1; step <= 12; step += 1) {
      const before = inventory.records
      const text = JSON.stringify(lab)
      const prune = random.chance(50)
      const outcome = inventory.apply(text, { prune })
      const name = `seed ${seed}, step ${step}`
      if (Array.isArray(outcome)) assert.equal(inventory.records, before, name)
      else {
        taken += 1
        assertSound(inventory.records, name)
        assert.deepEqual(accepted(inventory.apply(text, { prune })).changes, [], `${name}, again`)
      }
      lab = edited(lab, random)
    }
  }
  assert.ok(taken > 200, `only ${taken} edits were valid`)
})
