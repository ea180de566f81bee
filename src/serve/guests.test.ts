import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Headers } from '../http/messages.ts'
import { applyInventory } from '../inventory/file/apply.ts'
import { randomGenerators } from '../inventory/file/generators.ts'
import { loadInventoryFile } from '../inventory/file/load.ts'
import { openMemoryStore } from '../inventory/memory-store.ts'
import { parseIpAddress } from '../inventory/records/address.ts'
import type { RecordSet } from '../inventory/records/records.ts'
import { type GuestRules, guestOf, guestsByFixedIp } from './guests.ts'
import { parsePlace } from './listen.ts'

async function recordsOf(example: string): Promise<RecordSet> {
  const store = openMemoryStore()
  const file = loadInventoryFile(fileURLToPath(new URL(`../../examples/${example}`, import.meta.url)))
  await applyInventory(store, file, randomGenerators, { prune: false, host: 'host', isDry: false })
  return (await store.load()).records
}

describe('who asks', async () => {
  const records = await recordsOf('shop.yaml')
  const named = (name: string) => [...records.server.values()].find((server) => server.name === name)
  const fixed = guestsByFixedIp(records)
  const everybody = named('database')
  const byHeader = (name: string) => named(name)
  const request = (remoteAddress: string, instance?: string) => ({
    method: 'GET',
    target: '/',
    headers: new Headers(instance === undefined ? [] : [['x-instance-id', instance]]),
    remoteAddress,
    id: '',
    body: async () => new Uint8Array(),
  })
  const rules = (changes: Partial<GuestRules>): GuestRules => ({
    byAddress: fixed,
    byHeader: undefined,
    everybody: undefined,
    ...changes,
  })
  const cases: { name: string; rules: GuestRules; from: string; header?: string; want: string | undefined }[] = [
    { name: 'a fixed IP', rules: rules({}), from: '10.1.0.101', want: 'web-1' },
    { name: 'a fixed IP on a socket for both families', rules: rules({}), from: '::ffff:10.1.0.101', want: 'web-1' },
    { name: 'an address nobody has', rules: rules({}), from: '10.1.0.250', want: undefined },
    {
      name: 'an address nobody has, with everybody',
      rules: rules({ everybody }),
      from: '10.1.0.250',
      want: 'database',
    },
    { name: 'a fixed IP, with everybody', rules: rules({ everybody }), from: '10.1.0.101', want: 'web-1' },
    { name: 'a header nobody asked for', rules: rules({}), from: '10.1.0.101', header: 'web-2', want: 'web-1' },
    { name: 'a header', rules: rules({ byHeader }), from: '10.1.0.101', header: 'web-2', want: 'web-2' },
    { name: 'a wrong header', rules: rules({ byHeader, everybody }), from: '10.1.0.101', header: 'x', want: undefined },
    { name: 'a unix socket', rules: rules({}), from: '', want: undefined },
  ]
  for (const { name, rules, from, header, want } of cases)
    it(name, () => assert.equal(guestOf(rules, request(from, header))?.name, want))

  it('is left open where several servers have one address', async () => {
    const lab = guestsByFixedIp(await recordsOf('lab.yaml'))
    assert.equal(lab.get(parseIpAddress('10.0.0.11') ?? ('' as never)), undefined)
  })
})

describe('a place to listen', () => {
  const cases: { text: string; want: ReturnType<typeof parsePlace> }[] = [
    { text: '127.0.0.1:8080', want: { host: '127.0.0.1', port: 8080 } },
    { text: '0.0.0.0:80', want: { host: '0.0.0.0', port: 80 } },
    { text: '[::1]:8080', want: { host: '::1', port: 8080 } },
    { text: '[fe80::a9fe:a9fe%br0]:80', want: { host: 'fe80::a9fe:a9fe%br0', port: 80 } },
    { text: '0', want: { host: '127.0.0.1', port: 0 } },
    { text: '127.0.0.1', want: undefined },
    { text: '::1:8080', want: undefined },
    { text: '127.0.0.1:70000', want: undefined },
    { text: '300.0.0.1:80', want: undefined },
    { text: '[127.0.0.1]:80', want: undefined },
    { text: '', want: undefined },
  ]
  for (const { text, want } of cases) it(text || 'nothing', () => assert.deepEqual(parsePlace(text), want))
})
