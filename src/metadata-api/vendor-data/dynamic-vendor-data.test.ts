import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { after, before, beforeEach, describe, it } from 'node:test'
import { exampleInstance } from '../../../test/nova-example.ts'
import type { VendorDataEntry } from '../../documents/context.ts'
import { writeJson } from '../../documents/json.ts'
import { openPoster } from '../../http/post.ts'
import type { InstanceId } from '../../inventory/records/ids.ts'
import { silentLog } from '../../observe/log.ts'
import { type DynamicVendorDataDeps, openDynamicVendorData, VendorDataFailed } from './dynamic-vendor-data.ts'
import { vendorDataRequest } from './request.ts'

const instance = exampleInstance()
const other = exampleInstance({ id: '00000000-0000-4000-8000-000000000000' as InstanceId })

/** A real target that tells what it was asked, and holds back its answers for /slow until it is told to go on. */
describe('dynamic vendor data', () => {
  const asked: { path: string; fields: readonly string[]; body: string }[] = []
  let held: ServerResponse[] = []
  const server = createServer(async (request, answer) => {
    const path = request.url ?? ''
    asked.push({ path, fields: request.rawHeaders, body: await text(request) })
    if (path === '/slow') held.push(answer)
    else if (path === '/broken') answer.writeHead(500).end('{"traceback": "secret"}')
    else answer.end(JSON.stringify({ path }))
    server.emit('asked')
  })
  let at = ''
  before(async () => {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  beforeEach(() => asked.splice(0))
  after(() => {
    server.close()
    server.closeAllConnections()
  })

  function open(paths: readonly string[], changes: Partial<DynamicVendorDataDeps> = {}) {
    return openDynamicVendorData({
      targets: paths.map((path) => ({ name: path.slice(1), url: at + path })),
      poster: openPoster({
        connectMilliseconds: 3_000,
        readMilliseconds: 3_000,
        answerBytes: 1_000,
        authorities: undefined,
      }),
      isFailureFatal: false,
      patienceMilliseconds: 3_000,
      now: () => new Date('2026-08-01T12:00:00Z'),
      log: silentLog,
      ...changes,
    })
  }

  async function untilAsked(count: number): Promise<void> {
    while (asked.length < count) await once(server, 'asked')
  }

  function letGo(): void {
    for (const answer of held) answer.end('{}')
    held = []
  }

  it('asks each target as Nova does, and keeps their order', async () => {
    const { ask } = open(['/b', '/broken', '/a'])
    assert.equal(printed(await ask(instance)), '[["b", {"path": "/b"}], ["broken", {}], ["a", {"path": "/a"}]]')
    assert.deepEqual(asked.map(({ path }) => path).toSorted(), ['/a', '/b', '/broken'])
    const [question] = asked
    assert.equal(question?.body, vendorDataRequest(instance))
    const fields = question?.fields.join('\n') ?? ''
    for (const field of [
      'Content-Type\napplication/json',
      'Accept\napplication/json',
      'User-Agent\nopenstack-nova-vendordata',
    ]) {
      assert.ok(fields.includes(field), `${field} in ${fields}`)
    }
  })

  it('shares a round among those who ask about the same instance, and begins another one afterwards', async () => {
    const { ask } = open(['/slow'])
    const round = [ask(instance), ask(instance), ask(instance)]
    await untilAsked(1)
    letGo()
    for (const entries of await Promise.all(round)) assert.equal(printed(entries), '[["slow", {}]]')
    assert.equal(asked.length, 1)
    const again = ask(instance)
    await untilAsked(2)
    letGo()
    await again
  })

  it('asks anew about an instance that changed meanwhile', async () => {
    const { ask } = open(['/slow'])
    const rounds = [ask(instance), ask({ ...instance, hostname: 'renamed' })]
    await untilAsked(2)
    letGo()
    await Promise.all(rounds)
    assert.deepEqual(asked.map(({ body }) => JSON.parse(body).hostname).toSorted(), ['renamed', 'test'])
  })

  it('lets nobody else wait for a slow target', async () => {
    const slow = open(['/slow', '/quick']).ask(instance)
    await untilAsked(2)
    assert.equal(printed(await open(['/quick']).ask(other)), '[["quick", {"path": "/quick"}]]')
    assert.ok(asked.some(({ path, body }) => path === '/quick' && body === vendorDataRequest(instance)))
    letGo()
    await slow
  })

  it('asks one target about so many instances at a time; who then waits too long is told to come again', async () => {
    const { ask } = open(['/slow'], { patienceMilliseconds: 50 })
    const many = Array.from({ length: 129 }, (_, i) => ask(exampleInstance({ id: `instance ${i}` as InstanceId })))
    const last = many.at(-1) ?? assert.fail()
    await assert.rejects(last, { status: 503, headers: [['Retry-After', '2']] })
    await untilAsked(128)
    letGo()
    await Promise.all(many.slice(0, -1))
    assert.equal(asked.length, 128)
  })

  it('fails as a whole when the operator wants that', async () => {
    const { ask, vendorDataResults } = open(['/broken', '/a'], { isFailureFatal: true })
    await assert.rejects(ask(instance), VendorDataFailed)
    assert.deepEqual(
      vendorDataResults()
        .map(({ target, error }) => [target, error])
        .toSorted(),
      [
        ['a', null],
        ['broken', 'it answered 500'],
      ],
    )
  })

  it('tells the operator how it went last, and logs it, without what was said', async () => {
    const lines: string[] = []
    const write = (level: string) => (fields: object) => void lines.push(`${level} ${JSON.stringify(fields)}`)
    const log = { debug: write('debug'), warn: write('warn') } as unknown as DynamicVendorDataDeps['log']
    const { port } = server.address() as AddressInfo
    const targets = [
      { name: 'a', url: `http://user:secret@127.0.0.1:${port}/a?token=secret` },
      { name: 'broken', url: `${at}/broken` },
      { name: 'gone', url: 'http://127.0.0.1:1/' },
    ]
    const { ask, vendorDataResults } = open([], { targets, log })
    await ask(other)
    await ask(instance)
    await ask(other)
    const results = vendorDataResults()
    assert.equal(results.length, 6)
    assert.ok(results.every(({ milliseconds }) => milliseconds >= 0))
    const about = { instanceId: instance.id, at: '2026-08-01T12:00:00.000Z' }
    assert.deepEqual(
      results
        .filter(({ instanceId }) => instanceId === instance.id)
        .map(({ milliseconds, ...result }) => result)
        .toSorted((a, b) => (a.target < b.target ? -1 : 1)),
      [
        { ...about, target: 'a', url: `${at}/a?...`, status: 200, bytes: 26, error: null },
        { ...about, target: 'broken', url: `${at}/broken`, status: 500, bytes: 23, error: 'it answered 500' },
        {
          ...about,
          target: 'gone',
          url: 'http://127.0.0.1:1/',
          status: null,
          bytes: null,
          error: 'connection refused',
        },
      ],
    )
    assert.ok(
      results.slice(3).every(({ instanceId }) => instanceId === other.id),
      'the last to be asked about stands last',
    )
    assert.deepEqual(lines.map((line) => line.split(' ')[0]).toSorted(), [
      ...Array<string>(3).fill('debug'),
      ...Array<string>(6).fill('warn'),
    ])
    assert.ok(!`${lines}${JSON.stringify(results)}`.includes('secret'))
  })
})

function printed(entries: readonly VendorDataEntry[]): string {
  return writeJson(entries)
}
