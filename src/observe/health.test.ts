import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { errorPage } from '../http/error-page.ts'
import { serve } from '../http/server.ts'
import { type Condition, examine, heartbeat, inventoryIsRead, reconciles, socketsAreOpen } from './health.ts'
import { healthPages } from './health-pages.ts'
import { openMetrics } from './metrics/metrics.ts'

const fails = (name: string, why: string): Condition => ({ name, whyNot: () => why })
const holds = (name: string): Condition => ({ name, whyNot: () => undefined })

function ask(target: string, accept?: string, method = 'GET', ready: readonly Condition[] = [holds('inventory')]) {
  const pages = healthPages({ metrics: () => 'a 1\n', alive: [holds('loop')], ready })
  return pages({ method, target, headers: { get: (name) => (name === 'accept' ? accept : undefined) } })
}
const text = async (asked: ReturnType<typeof ask>) => Buffer.from((await asked).body).toString()

describe('the pages', () => {
  it('show metrics in the form Prometheus reads', async () => {
    const { status, headers, body } = await ask('/metrics?x')
    assert.equal(status, 200)
    assert.equal(Buffer.from(body).toString(), 'a 1\n')
    assert.match(headers[0]?.[1] ?? '', /version=0\.0\.4/)
  })

  it('say 200 when all is well', async () => {
    assert.equal((await ask('/healthz')).status, 200)
    assert.equal(await text(ask('/readyz')), 'ok\ninventory: ok\n')
  })

  const ready = [holds('inventory'), fails('sockets', '1 of 2 are open')]
  it('say 503 and which condition does not hold', async () => {
    assert.equal((await ask('/readyz', undefined, 'GET', ready)).status, 503)
    assert.equal(
      await text(ask('/readyz', undefined, 'GET', ready)),
      'not ok\ninventory: ok\nsockets: 1 of 2 are open\n',
    )
  })

  it('say it as JSON to those that accept it', async () => {
    assert.deepEqual(JSON.parse(await text(ask('/readyz', 'application/json', 'GET', ready))), {
      isWell: false,
      conditions: [
        { name: 'inventory', isWell: true, says: 'ok' },
        { name: 'sockets', isWell: false, says: '1 of 2 are open' },
      ],
    })
  })

  it('are nothing else, and nothing can be done to them', async () => {
    assert.equal((await ask('/constructor')).status, 404)
    assert.equal((await ask('/metrics', undefined, 'POST')).status, 405)
    const head = await ask('/metrics', undefined, 'HEAD')
    assert.equal(head.body.length, 0)
    assert.deepEqual(head.headers.at(-1), ['Content-Length', '4'])
  })
})

it('the pages are served over HTTP as any handler is', async (test) => {
  const metrics = openMetrics({ version: '1', recorderDropped: () => 0, now: () => new Date() })
  const handler = healthPages({ metrics: metrics.page, alive: [], ready: [fails('inventory', 'it is being read')] })
  const serving = await serve(handler, { host: '127.0.0.1', port: 0 }, { onError: errorPage })
  test.after(() => serving.close(0))
  const get = (path: string, init: RequestInit = {}) =>
    fetch(`http://127.0.0.1:${serving.port}${path}`, { ...init, headers: { connection: 'close', ...init.headers } })
  assert.match(await (await get('/metrics')).text(), /^firstboot_requests_total|^# HELP /)
  assert.equal((await get('/healthz')).status, 200)
  const ready = await get('/readyz', { headers: { accept: 'application/json' } })
  assert.deepEqual([ready.status, ((await ready.json()) as { isWell: boolean }).isWell], [503, false])
  const head = await get('/readyz', { method: 'HEAD' })
  assert.deepEqual([head.status, Number(head.headers.get('content-length')) > 10], [503, true])
})

describe('a condition', () => {
  it('that cannot be looked at does not hold', () => {
    const broken = {
      name: 'x',
      whyNot: () => {
        throw new Error('no')
      },
    }
    assert.deepEqual(examine([broken]), [{ name: 'x', isWell: false, says: 'it cannot be told: no' }])
  })

  it('heartbeat: fails when work that should come back stays away', () => {
    let now = 0
    const passes = heartbeat('reconcile', 10_000, () => now)
    now = 9_000
    assert.equal(passes.whyNot(), undefined)
    passes.beat()
    now = 20_000
    assert.match(passes.whyNot() ?? '', /nothing was heard of it for 11 s/)
    passes.beat()
    assert.equal(passes.whyNot(), undefined)
  })

  it('inventory: holds once it is read, and says why it cannot be', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const condition = inventoryIsRead(promise)
    assert.match(condition.whyNot() ?? '', /being read/)
    resolve()
    await promise
    assert.equal(condition.whyNot(), undefined)
    const broken = inventoryIsRead(Promise.reject(new Error('disk full')))
    await new Promise(setImmediate)
    assert.match(broken.whyNot() ?? '', /disk full/)
  })

  it('sockets: all must be open', () => {
    assert.match(socketsAreOpen(() => undefined).whyNot() ?? '', /not known yet/)
    assert.match(socketsAreOpen(() => ({ wanted: 3, open: 2 })).whyNot() ?? '', /2 of 3/)
    assert.equal(socketsAreOpen(() => ({ wanted: 0, open: 0 })).whyNot(), undefined)
  })

  it('reconcile: names what failed', () => {
    const failed = { where: 'qdhcp-1', cause: new Error('no dnsmasq') }
    assert.match(reconciles(() => undefined).whyNot() ?? '', /first pass/)
    assert.equal(reconciles(() => new Error('no netlink')).whyNot(), 'no netlink')
    assert.equal(reconciles(() => ({ failed: [] })).whyNot(), undefined)
    assert.equal(reconciles(() => ({ failed: [failed, failed] })).whyNot(), 'qdhcp-1: no dnsmasq (and 1 more)')
  })
})
