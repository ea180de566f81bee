import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exampleInstance } from '../../test/nova-example.ts'
import {
  type Asking,
  agentHeaders,
  bodyText,
  FakeInventory,
  header,
  request,
  serviceDeps,
  startService,
} from '../../test/nova-service.ts'
import type { InstanceId } from '../inventory/records/ids.ts'
import type { MetadataTokens } from '../inventory/records/project.ts'
import type { MetadataApiDeps } from './metadata-api.ts'
import { sessionTokens } from './session-token.ts'

const instance = exampleInstance()
const other = exampleInstance({ id: '00000000-0000-4000-8000-000000000000' as InstanceId })
const NOON = Date.parse('2026-08-01T12:00:00Z')
const TTL = 'X-aws-ec2-metadata-token-ttl-seconds'
const TOKEN = 'X-aws-ec2-metadata-token'

function start(metadataTokens: MetadataTokens, changes: Partial<MetadataApiDeps> = {}) {
  const inventory = new FakeInventory([instance, other])
  inventory.putProject({ id: instance.projectId, name: 'p', metadataTokens })
  let now = NOON
  const { handler } = startService(inventory, { sessionTokens: sessionTokens('s3cr3t', () => now), ...changes })
  const as = (who: typeof instance) => async (asking: Asking) => {
    const headers = { ...agentHeaders(who, 's3cr3t'), ...asking.headers }
    const reply = await handler(request({ ...asking, headers }))
    return { status: reply.status, text: bodyText(reply), header: (name: string) => header(reply, name) }
  }
  return {
    inventory,
    ask: as(instance),
    askAsOther: as(other),
    handler,
    pass: (seconds: number) => {
      now += seconds * 1000
    },
  }
}

const PUT = (headers: Asking['headers'] = { [TTL]: '60' }): Asking => ({
  method: 'PUT',
  target: '/latest/api/token',
  headers: headers ?? {},
})
const FROM_BOTH_TREES = [
  '/latest/meta-data/instance-id',
  '/openstack/latest/meta_data.json',
  '/openstack/latest/password',
]

test('without session tokens a PUT is what it is in Nova, and a token is ignored', async () => {
  const { ask } = start('off')
  assert.equal((await ask(PUT())).status, 404)
  for (const target of FROM_BOTH_TREES)
    assert.equal((await ask({ target, headers: { [TOKEN]: 'anything' } })).status, 200)
})

for (const mode of ['optional', 'required'] as const) {
  test(`${mode}: a token opens both trees for its instance, until it expires`, async () => {
    const { ask, askAsOther, pass } = start(mode)
    const put = await ask(PUT())
    assert.deepEqual(
      [put.status, put.header(TTL), put.header('Content-Type')],
      [200, '60', 'text/plain; charset=UTF-8'],
    )
    const shown = { headers: { [TOKEN]: put.text } }
    for (const target of FROM_BOTH_TREES) {
      assert.equal((await ask({ target, ...shown })).status, 200, target)
      assert.equal((await askAsOther({ target, ...shown })).status, 401, 'of another instance')
      assert.equal((await ask({ target, headers: { [TOKEN]: `${put.text}x` } })).status, 401, 'wrong')
      assert.equal((await ask({ target })).status, mode === 'required' ? 401 : 200, 'none')
    }
    pass(60)
    for (const target of FROM_BOTH_TREES) assert.equal((await ask({ target, ...shown })).status, 401, 'expired')
  })
}

const lifetimes: readonly { given: string | null; want: number }[] = [
  { given: null, want: 400 },
  { given: '', want: 400 },
  { given: '0', want: 400 },
  { given: '1', want: 200 },
  { given: '21600', want: 200 },
  { given: '21601', want: 400 },
  { given: '-1', want: 400 },
  { given: '1.5', want: 400 },
  { given: '60,60', want: 400 },
  { given: 'long', want: 400 },
]

for (const { given, want } of lifetimes)
  test(`a token for ${given === null ? 'no time at all' : `"${given}" seconds`} is ${want}`, async () => {
    const { ask } = start('required')
    assert.equal((await ask(PUT(given === null ? {} : { [TTL]: given }))).status, want)
  })

test('no token for a request that a proxy in the guest has forwarded', async () => {
  const { ask } = start('required')
  const forwarded = PUT({ [TTL]: '60', 'X-Forwarded-By-Guest': 'yes' })
  assert.deepEqual([(await ask(forwarded)).status, (await ask(PUT())).status], [403, 200])
})

test('no token for it either where the guest asks without an agent', async () => {
  const inventory = new FakeInventory([instance])
  const options = { ...serviceDeps(inventory).options, serviceMetadataProxy: false }
  const { inventory: own, handler } = start('required', { options })
  own.putPort({
    id: 'a',
    networkId: 'n',
    projectId: instance.projectId,
    fixedIps: [{ subnetId: 's', ipAddress: '192.0.2.99' }],
    deviceId: instance.id,
  } as unknown as Parameters<FakeInventory['putPort']>[0])
  const put = async (headers: Record<string, string>) =>
    (await handler(request(PUT({ [TTL]: '60', ...headers })))).status
  assert.deepEqual([await put({}), await put({ 'X-Forwarded-For': '10.0.0.1' })], [200, 403])
})

test('tokens are fetched by PUT alone', async () => {
  const { ask } = start('optional')
  const got = await ask({ target: '/latest/api/token', headers: { [TTL]: '60' } })
  assert.deepEqual([got.status, got.header('Allow')], [405, 'PUT'])
})

test('who asks is settled before the token is, and the token before the path', async () => {
  const { ask } = start('required')
  assert.equal((await ask({ ...PUT(), headers: { 'X-Instance-ID-Signature': 'bad' } })).status, 403)
  assert.equal((await ask({ target: '/no/such/path' })).status, 401)
  assert.equal((await ask({ target: '/' })).status, 200, 'the root is open to anybody')
})

test('a change of the project counts for the next request', async () => {
  const { ask, inventory } = start('off')
  const [target = ''] = FROM_BOTH_TREES
  assert.equal((await ask({ target })).status, 200)
  inventory.putProject({ id: instance.projectId, name: 'p', metadataTokens: 'required' })
  assert.equal((await ask({ target })).status, 401)
})

test('no token and no key of one stands in the log', async () => {
  const lines: unknown[] = []
  const record = (...line: unknown[]) => void lines.push(line)
  const log = { debug: record, info: record, warn: record, error: record } as unknown as MetadataApiDeps['log']
  const { ask, askAsOther } = start('required', { log })
  const { text } = await ask(PUT())
  await askAsOther({ target: '/latest/', headers: { [TOKEN]: text } })
  assert.match(JSON.stringify(lines), /token-needed/)
  assert.ok(!JSON.stringify(lines).includes(text))
})
