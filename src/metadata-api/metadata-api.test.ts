import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { exampleInstance } from '../../test/nova-example.ts'
import {
  agentHeaders,
  bodyText,
  FakeInventory,
  header,
  request,
  serviceDeps,
  startService,
} from '../../test/nova-service.ts'
import { HOLD_MILLISECONDS } from '../http/errors.ts'
import type { MetadataApiDeps } from './metadata-api.ts'

const instance = exampleInstance({ properties: [['a', '1']] })
const headers = agentHeaders(instance, 's3cr3t')

function start(changes: (inventory: FakeInventory) => Partial<MetadataApiDeps> = () => ({})) {
  const inventory = new FakeInventory([instance])
  return { inventory, ...startService(inventory, changes(inventory)) }
}

for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'OPTIONS', 'FOO']) {
  test(`${method} reads a document like GET, and the root without any header`, async () => {
    const { handler } = start()
    const target = '/openstack/latest/meta_data.json'
    assert.deepEqual(await handler(request({ method, target, headers })), await handler(request({ target, headers })))
    assert.equal((await handler(request({ method, target: '/x/..?y' }))).body.length, 98)
  })
}

test('an OPTIONS that would fail is an empty success without a type', async () => {
  const { handler } = start()
  for (const [target, sent] of [
    ['/openstack', {}],
    ['/nope', headers],
    ['/openstack/latest/password', headers],
  ] as const) {
    const { status, headers: fields, body } = await handler(request({ method: 'OPTIONS', target, headers: sent }))
    assert.deepEqual([status, fields, body.length], [200, [], 0], target)
  }
})

test('a request line of 8192 bytes is refused before anything else, one less is not', async () => {
  const { handler } = start()
  const target = `/${'a'.repeat(8191 - 'GET / HTTP/1.1\r\n'.length)}`
  assert.equal((await handler(request({ target, headers }))).status, 404)
  const { status, headers: fields, body } = await handler(request({ target: `${target}a` }))
  assert.deepEqual([status, fields, body.length], [414, [['Connection', 'close']], 0])
})

/** Where Nova leaves its application with an uncaught exception, we answer what is true. */
const NOVA_CRASHES: readonly { readonly target: string; readonly headers?: typeof headers; readonly want: number }[] = [
  { target: '/latest/meta-data/instance-id/x', want: 404 },
  { target: '/latest/meta-data/ami-launch-index/x', want: 404 },
  { target: '/latest/user-data/0', want: 404 },
  { target: '/latest/meta-data/security-groups/default', want: 404 },
  { target: '/openstack/latest/content', want: 404 },
  { target: '/openstack/%E9', want: 400 },
  { target: 'openstack', want: 400 },
  { target: '*', want: 400 },
  { target: '/openstack', headers: { ...headers, 'X-Instance-ID-Signature': '\u00e9' }, want: 403 },
]

for (const { target, headers: sent = headers, want } of NOVA_CRASHES) {
  test(`${target} is ${want} where Nova crashes`, async () => {
    assert.equal((await start().handler(request({ target, headers: sent }))).status, want)
  })
}

test('a change of the inventory is visible to the next request, and a deleted instance is gone', async () => {
  const { handler, inventory } = start()
  const name = async () =>
    JSON.parse(bodyText(await handler(request({ target: '/openstack/latest/meta_data.json', headers })))).name
  assert.equal(await name(), 'test')
  inventory.put({ ...instance, name: 'renamed' })
  assert.equal(await name(), 'renamed')
  inventory.remove(instance.id)
  assert.equal((await handler(request({ target: '/openstack', headers }))).status, 404)
})

test('only what shows the seed asks the generator for one, each time', async () => {
  let asked = 0
  const { handler } = start(() => ({ randomSeed: () => new Uint8Array(512).fill(++asked) }))
  const read = async (target: string) => bodyText(await handler(request({ target, headers })))
  await read('/openstack/latest/network_data.json')
  await read('/openstack/2012-08-10/meta_data.json')
  assert.equal(asked, 0)
  assert.notEqual(await read('/openstack/latest/meta_data.json'), await read('/openstack/latest/meta_data.json'))
  assert.equal(asked, 2)
})

test('targets of dynamic vendor data are asked by one path alone, and only when they are a provider', async () => {
  for (const provider of ['StaticJSON', 'DynamicJSON'] as const) {
    const asked: string[] = []
    const { handler } = start((inventory) => ({
      options: { ...serviceDeps(inventory).options, vendordataProviders: [provider] },
      dynamicVendorData: async ({ hostname }) => {
        asked.push(hostname)
        return [['cloud', {}]]
      },
    }))
    const paths = ['', '/meta_data.json', '/vendor_data.json', '/vendor_data2.json', '/vendor_data2.json']
    for (const path of paths) await handler(request({ target: `/openstack/latest${path}`, headers }))
    assert.deepEqual(asked, provider === 'DynamicJSON' ? ['test', 'test'] : [])
  }
})

test('a fatal failure of a target is a 500 of that path alone', async () => {
  const { handler } = start((inventory) => ({
    options: { ...serviceDeps(inventory).options, vendordataProviders: ['StaticJSON', 'DynamicJSON'] },
    dynamicVendorData: () => Promise.reject(new Error('target is down')),
  }))
  const reply = await handler(
    request({ target: '/openstack/latest/vendor_data2.json', headers: { ...headers, Accept: '*/*' } }),
  )
  assert.deepEqual([reply.status, reply.body.length], [500, 207])
  assert.equal((await handler(request({ target: '/openstack/latest/meta_data.json', headers }))).status, 200)
})

test('while the inventory is not known a request waits, then is told to come again, and never 404', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.after(() => mock.timers.reset())
  const { promise: ready, resolve } = Promise.withResolvers<void>()
  const { handler, answer } = startService(new FakeInventory([instance], ready))
  assert.equal((await handler(request({ target: '/' }))).status, 200)
  assert.equal((await handler(request({ target: '/openstack' }))).status, 400)
  const caller = { instanceId: instance.id, projectId: 'proj', requesterAddress: null }
  const late = [handler(request({ target: '/openstack', headers })), answer(caller, request({ target: '/openstack' }))]
  mock.timers.tick(HOLD_MILLISECONDS)
  for (const reply of await Promise.all(late)) {
    assert.deepEqual([reply.status, header(reply, 'Retry-After')], [503, '1'])
  }
  const inTime = handler(request({ target: '/openstack', headers }))
  resolve()
  assert.equal((await inTime).status, 200)
})

test('a caller identified in process is bound to its project and ignores the headers', async () => {
  const { answer } = start()
  const asked = request({ target: '/openstack', headers: { ...headers, 'X-Instance-ID': 'forged' } })
  const caller = { instanceId: instance.id.toUpperCase(), projectId: 'proj', requesterAddress: '10.0.0.1' }
  assert.equal((await answer(caller, asked)).status, 200)
  assert.equal((await answer({ ...caller, projectId: 'other' }, asked)).status, 404)
  assert.equal((await answer({ ...caller, instanceId: 'unknown' }, asked)).status, 404)
})
