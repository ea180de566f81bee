import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { openSqliteStore } from '../src/inventory/sql/sqlite.ts'
import type { FlightRecord } from '../src/observe/flight/record.ts'
import { openFlightRecorder } from '../src/observe/flight/recorder.ts'
import { firstboot } from './support/daemon.ts'
import { eventually } from './support/eventually.ts'

/** What guests asked, written by the recorder as two daemons would, and read by the commands as they are typed. */
const folder = mkdtempSync(join(tmpdir(), 'firstboot-flight-'))
const state = join(folder, 'state')
const INVENTORY = `
projects: [{name: p}]
networks: [{name: n, subnets: [{cidr: 10.0.0.0/24}]}]
servers: [{name: web-1}, {name: web-2}, {name: silent}]
`

const children: ChildProcess[] = []
after(() => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

function start(...args: readonly string[]) {
  const [program, ...words] = firstboot(...args, '--state-dir', state)
  const child = spawn(program, words, { env: { PATH: process.env['PATH'] }, stdio: ['ignore', 'pipe', 'pipe'] })
  children.push(child)
  const said = { out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said.out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said.err += text
  })
  const ended = once(child, 'close').then(([code]) => code as number)
  return { child, said, ended, lines: () => said.out.split('\n').filter((line) => line !== '') }
}

async function run(...args: readonly string[]) {
  const { said, ended, lines } = start(...args)
  return { code: await ended, ...said, lines: lines() }
}

let ids: Readonly<Record<string, string>> = {}
function record(server: string, path: string, second: number, rest: Partial<FlightRecord> = {}): FlightRecord {
  return {
    time: `2026-01-01T00:00:${String(second).padStart(2, '0')}.000Z`,
    request: `req-${server}-${second}`,
    daemon: 'metadata-agent',
    instance: ids[server] ?? assert.fail(`no server ${server}`),
    server,
    from: '10.0.0.9',
    method: 'GET',
    path,
    status: 200,
    bytes: 1222,
    stages: { resolve: 0.4 },
    milliseconds: 4.2,
    userAgent: 'Cloud-Init/22.4.2',
    ...rest,
  }
}

/** What the proxy records of the same request: longer, and it does not know whose it is. */
function outer({ instance: _, server: __, ...rest }: FlightRecord): FlightRecord {
  return { ...rest, daemon: 'metadata-proxy', stages: {}, milliseconds: rest.milliseconds + 1 }
}

async function write(daemon: string, ...records: readonly FlightRecord[]): Promise<void> {
  const path = join(state, 'flight', `${daemon}.jsonl`)
  const recorder = openFlightRecorder({ path, onProblem: (error) => assert.fail(String(error)) })
  for (const each of records) recorder.record(each)
  await recorder.close()
}

const DOCUMENTS = ['meta_data.json', 'user_data', 'vendor_data.json', 'network_data.json']

before(async () => {
  writeFileSync(join(folder, 'inventory.yaml'), INVENTORY)
  const { code, err } = await run('apply', '-f', join(folder, 'inventory.yaml'))
  assert.equal(code, 0, err)
  const store = await openSqliteStore(join(state, 'inventory.sqlite'))
  const { records } = await store.load()
  await store.close()
  ids = Object.fromEntries([...records.server.values()].map(({ id, name }) => [name, id]))
  const boot = DOCUMENTS.map((name, i) => record('web-1', `/openstack/2018-08-27/${name}`, i + 1))
  const lost = record('web-2', '/openstack/latest/none\u001b', 9, { status: 404, problem: 'no-such-path' })
  await write('metadata-agent', ...boot, lost)
  await write('metadata-proxy', ...boot.map(outer), outer(lost))
})

describe('firstboot requests', () => {
  it('knows a server by name whose request the metadata API did not answer', async () => {
    const { server: _, ...nameless } = record('silent', '/openstack', 50, { status: 504, problem: 'upstream-timeout' })
    const gone = { ...nameless, request: 'req-gone', instance: '00000000-0000-4000-8000-000000000000' }
    const path = join(state, 'flight', 'metadata-agent.jsonl')
    const before = readFileSync(path)
    await write('metadata-agent', nameless, gone)
    const { lines } = await run('requests', '--last', '2')
    const [{ server }] = (await run('requests', '--last', '2', '--json')).lines.map((line) => JSON.parse(line))
    writeFileSync(path, before)
    assert.deepEqual(
      [lines[0]?.includes(' silent '), lines[1]?.includes(gone.instance), server],
      [true, true, 'silent'],
    )
  })

  it('tells of one server, each request once, with the way it took', async () => {
    const { code, lines } = await run('requests', 'web-1')
    assert.equal(code, 0)
    assert.equal(lines.length, DOCUMENTS.length)
    assert.match(
      lines[0] ?? '',
      /^00:00:01\.000 {2}web-1 {2}200 +5\.2 ms +1222 bytes {2}GET \/openstack\/2018-08-27\/meta_data\.json {2}metadata-proxy 5\.2 > metadata-agent 4\.2 \(resolve 0\.4\)$/,
    )
  })

  it('tells of all, the newest last, without a guest’s control characters', async () => {
    const { lines } = await run('requests', '--last', '2')
    assert.equal(lines.length, 2)
    assert.match(lines[1] ?? '', /web-2 {2}404 .* GET \/openstack\/latest\/none\? {2}no-such-path/)
  })

  it('is read by programs', async () => {
    const { lines } = await run('requests', 'web-2', '--json')
    const { server, status, problem, hops } = JSON.parse(lines[0] ?? '')
    assert.deepEqual([server, status, problem, hops.length], ['web-2', 404, 'no-such-path', 2])
  })

  it('says when there is nothing, and refuses a server that is not', async () => {
    const { code, out, err } = await run('requests', 'silent')
    assert.deepEqual([code, out], [1, ''])
    assert.match(err, /Nothing is recorded of silent/)
    const unknown = await run('requests', 'web-11')
    assert.equal(unknown.code, 2)
    assert.match(unknown.err, /did you mean/)
  })
})

describe('firstboot timeline', () => {
  it('draws the last boot, and says whether the client has what it needs', async () => {
    const svg = join(folder, 'boot.svg')
    const { code, lines } = await run('timeline', 'web-1', '--svg', svg)
    assert.equal(code, 0)
    assert.match(lines[0] ?? '', /^web-1 {2}2026-01-01T00:00:00\.99\dZ$/)
    assert.match(lines[1] ?? '', /cloud-init \(OpenStack\) 22\.4\.2 recognised$/)
    assert.equal(lines.filter((line) => line.includes('▪ GET /openstack/2018-08-27/')).length, DOCUMENTS.length)
    assert.equal(lines.at(-1), 'cloud-init (OpenStack) 22.4.2 has everything it needs.')
    assert.match(readFileSync(svg, 'utf8'), /^<svg .*meta_data\.json.*<\/svg>\n$/s)
  })

  it('says what is wrong with the place of the drawing', async () => {
    const { code, err } = await run('timeline', 'web-1', '--svg', join(folder, 'nowhere', 'boot.svg'))
    assert.equal(code, 2)
    assert.match(err, /--svg: there is no folder \S+nowhere; make it \(mkdir -p\), or write elsewhere/)
  })

  it('is read by programs', async () => {
    const { out } = await run('timeline', 'web-1', '--json')
    const { server, events, clients } = JSON.parse(out)
    assert.equal(server, 'web-1')
    assert.equal(events.length, DOCUMENTS.length + 1)
    assert.deepEqual(clients, [{ client: 'cloud-init (OpenStack)', version: '22.4.2', lacks: [] }])
  })

  it('says when nothing was asked', async () => {
    const { code, err } = await run('timeline', 'silent')
    assert.equal(code, 1)
    assert.match(err, /Nothing is recorded of silent/)
  })
})

describe('firstboot tail', () => {
  it('prints requests as they come, put together from all daemons, until it is ended', async () => {
    const all = start('tail', '--json')
    const one = start('tail', 'web-2')
    // It says nothing when it is ready: so it is given something until it has seen it.
    let tries = 0
    const isSeen = () => all.lines().length > 0 && one.lines().length > 0
    while (!isSeen()) {
      tries += 1
      assert.ok(tries < 100, 'both have begun to follow')
      await write('metadata-agent', record('web-2', `/try/${tries}`, 30))
      await pause(200)
    }
    const both = record('web-1', '/both', 40)
    await write('metadata-agent', both)
    await write('metadata-proxy', outer(both))
    await write('metadata-agent', record('web-2', '/last', 41))
    await eventually('both have seen the last', () => [all, one].every(({ said }) => said.out.includes('/last')))
    for (const { child } of [all, one]) child.kill('SIGTERM')
    assert.deepEqual([await all.ended, await one.ended], [0, 0])
    const seen = all.lines().map((line) => JSON.parse(line))
    const [once, ...more] = seen.filter(({ path }) => path === '/both')
    assert.deepEqual([once?.hops.length, once?.server, more.length], [2, 'web-1', 0])
    assert.ok(one.lines().every((line) => line.includes('web-2') && !line.includes('/both')))
  })
})
