import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exampleInstance } from '../../test/nova-example.ts'
import {
  type Asking,
  agentHeaders,
  FakeInventory,
  request,
  serviceDeps,
  startService,
} from '../../test/nova-service.ts'
import type { MetadataApiDeps } from './metadata-api.ts'

const PATH = '/openstack/latest/password'

function start(password = '', changes: (inventory: FakeInventory) => Partial<MetadataApiDeps> = () => ({})) {
  const instance = exampleInstance({ password })
  const inventory = new FakeInventory([instance])
  const { handler } = startService(inventory, changes(inventory))
  const ask = async (asking: Omit<Asking, 'target'>) => {
    const headers = { ...agentHeaders(instance, 's3cr3t'), ...asking.headers }
    const reply = await handler(request({ ...asking, target: PATH, headers }))
    return [
      reply.status,
      Buffer.from(reply.body)
        .toString()
        .replace(/^\d.*\n\n|\n\n {3}$/g, ''),
    ]
  }
  return { instance, inventory, ask }
}

const LARGE = [400, 'Request is too large.'] as const
const CONFLICT = [409, 'There was a conflict when trying to complete your request.'] as const

const cases: readonly {
  readonly name: string
  readonly stored?: string
  readonly asking: Omit<Asking, 'target'>
  readonly want: readonly [number, string]
  readonly left: string
}[] = [
  { name: 'GET before there is one', asking: {}, want: [200, ''], left: '' },
  { name: 'GET', stored: 'pé', asking: {}, want: [200, 'pé'], left: 'pé' },
  { name: 'POST', asking: { method: 'POST', body: 'secret' }, want: [200, ''], left: 'secret' },
  {
    name: 'POST of 1020 bytes',
    asking: { method: 'POST', body: 'é'.repeat(510) },
    want: [200, ''],
    left: 'é'.repeat(510),
  },
  { name: 'POST of 1021 bytes', asking: { method: 'POST', body: 'x'.repeat(1021) }, want: LARGE, left: '' },
  {
    name: 'a second POST, however large',
    stored: 'one',
    asking: { method: 'POST', body: 'x'.repeat(2000) },
    want: CONFLICT,
    left: 'one',
  },
  { name: 'a second POST without a length', stored: 'one', asking: { method: 'POST' }, want: CONFLICT, left: 'one' },
  {
    name: 'POST without a length',
    asking: { method: 'POST' },
    want: [400, 'Content-Length header is missing from request.'],
    left: '',
  },
  {
    name: 'POST that is not UTF-8',
    asking: { method: 'POST', body: Buffer.from([0xff, 0xfe]) },
    want: [400, 'The password is not UTF-8 text.'],
    left: '',
  },
  { name: 'PUT', asking: { method: 'PUT', body: 'x' }, want: [400, 'GET and POST only are supported.'], left: '' },
  {
    name: 'DELETE',
    stored: 'one',
    asking: { method: 'DELETE' },
    want: [400, 'GET and POST only are supported.'],
    left: 'one',
  },
  { name: 'HEAD', asking: { method: 'HEAD' }, want: [400, ''], left: '' },
  { name: 'OPTIONS', asking: { method: 'OPTIONS' }, want: [200, ''], left: '' },
]

for (const { name, stored, asking, want, left } of cases) {
  test(`password: ${name}`, async () => {
    const { ask, inventory, instance } = start(stored)
    assert.deepEqual(await ask(asking), want)
    assert.equal(inventory.instance(instance.id)?.password, left)
  })
}

test('an empty POST stores nothing, so another may follow', async () => {
  const { ask } = start()
  assert.deepEqual(await ask({ method: 'POST', body: '' }), [200, ''])
  assert.deepEqual(await ask({ method: 'POST', body: 'x' }), [200, ''])
})

test('of two POSTs at the same time one is stored and one is a conflict', async () => {
  const { ask, inventory, instance } = start('', (inventory) => {
    const { setPassword } = serviceDeps(inventory)
    return {
      setPassword: async (id, text) => {
        await new Promise(setImmediate)
        await setPassword(id, text)
      },
    }
  })
  const replies = await Promise.all([ask({ method: 'POST', body: 'one' }), ask({ method: 'POST', body: 'two' })])
  assert.deepEqual(replies, [[200, ''], CONFLICT])
  assert.equal(inventory.instance(instance.id)?.password, 'one')
})

test('a store that fails is a 500 and blocks nobody afterwards', async () => {
  let isBroken = true
  const { ask } = start('', (inventory) => ({
    setPassword: async (id, text) => {
      if (isBroken) throw new Error('disk full')
      await serviceDeps(inventory).setPassword(id, text)
    },
  }))
  assert.deepEqual(await ask({ method: 'POST', body: 'x' }), [
    500,
    'An unknown error has occurred. Please try your request again.',
  ])
  isBroken = false
  assert.deepEqual(await ask({ method: 'POST', body: 'x' }), [200, ''])
})

test('an instance that vanishes while its password arrives', async () => {
  const { inventory, instance } = start()
  const { handler } = startService(inventory)
  const asked = request({ method: 'POST', target: PATH, headers: agentHeaders(instance, 's3cr3t'), body: 'x' })
  const body = async () => {
    inventory.remove(instance.id)
    return Buffer.from('x')
  }
  const reply = await handler({ ...asked, body })
  assert.equal(
    Buffer.from(reply.body).toString(),
    `400 Bad Request\n\nInstance ${instance.id} could not be found.\n\n   `,
  )
})
