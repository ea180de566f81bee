import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, it } from 'node:test'
import { eventually } from '../../../test/support/eventually.ts'
import { journeys } from './journey.ts'
import { followRecords, readRecords } from './read.ts'
import { type FlightRecord, recordedPath, recordLine } from './record.ts'
import { openFlightRecorder } from './recorder.ts'

const directory = mkdtempSync(join(tmpdir(), 'firstboot-flight-'))
after(() => rmSync(directory, { recursive: true, force: true }))

function record(time: string, rest: Partial<FlightRecord> = {}): FlightRecord {
  const fixed = { request: 'req-1', daemon: 'test', from: '10.0.0.9', method: 'GET', path: '/openstack', status: 200 }
  return { time, ...fixed, bytes: 10, stages: {}, milliseconds: 1, ...rest }
}

function unexpected(error: unknown): never {
  throw error
}

function opened(name: string, maxBytes?: number) {
  const path = join(directory, name, 'daemon.jsonl')
  const rest = maxBytes === undefined ? {} : { maxBytes }
  return {
    path,
    folder: join(directory, name),
    recorder: openFlightRecorder({ path, onProblem: unexpected, ...rest }),
  }
}

it('gives back what was recorded, in the order of time, also after a restart and a torn line', async () => {
  const { path, folder, recorder } = opened('restart')
  recorder.record(record('2026-01-01T00:00:02.000Z'))
  recorder.record(record('2026-01-01T00:00:01.000Z'))
  await recorder.close()
  appendFileSync(path, '{"time":"2026-01-01T00:00:0')
  appendFileSync(path, '\n')
  const again = openFlightRecorder({ path, onProblem: unexpected })
  again.record(record('2026-01-01T00:00:03.000Z', { status: 404 }))
  await again.close()
  assert.deepEqual(
    readRecords(folder, () => true).map(({ time, status }) => [time.slice(17, 19), status]),
    [
      ['01', 200],
      ['02', 200],
      ['03', 404],
    ],
  )
})

it('stays within its bytes on disk, and keeps the newest', async () => {
  const { path, folder, recorder } = opened('bounded', 2_000)
  for (let i = 0; i < 200; i += 1) {
    recorder.record(record(`2026-01-01T00:00:00.${String(i).padStart(3, '0')}Z`))
    if (i % 5 === 4) await recorder.close()
  }
  assert.ok(statSync(path).size + statSync(`${path}.1`).size < 2 * 3_500)
  assert.equal(readRecords(folder, () => true).at(-1)?.time, '2026-01-01T00:00:00.199Z')
})

it('follows files that come, grow and are turned over', async () => {
  const { folder, recorder } = opened('followed', 300)
  recorder.record(record('2026-01-01T00:00:00.000Z', { path: '/before' }))
  await recorder.close()
  const seen: string[] = []
  const end = followRecords(folder, ({ path }) => seen.push(path))
  for (const path of ['/1', '/2', '/3', '/4']) {
    recorder.record(record('2026-01-01T00:00:01.000Z', { path }))
    await recorder.close()
    await eventually(`${path} is seen`, () => seen.includes(path))
  }
  end()
  assert.deepEqual(seen, ['/1', '/2', '/3', '/4'])
})

it('counts what a full disk swallows, and tells once', async () => {
  const problems: unknown[] = []
  const recorder = openFlightRecorder({ path: '/dev/full', onProblem: (error) => problems.push(error) })
  for (let i = 0; i < 3; i += 1) {
    recorder.record(record('2026-01-01T00:00:00.000Z'))
    await recorder.close()
  }
  assert.deepEqual([recorder.dropped, problems.length], [3, 1])
})

it('writes the line that JSON.stringify would', () => {
  const odd = {
    userAgent: 'a "quoted"\n\u2028 agent',
    path: '/\\"\u0001',
    server: 'wéb "1"',
    instance: 'i',
    within: 'network n',
    problem: 'p',
  }
  const full = record('2026-01-01T00:00:00.000Z', {
    ...odd,
    stages: { resolve: 0.1234567, answer: 2 },
    milliseconds: 12.3456789,
  })
  assert.deepEqual(JSON.parse(recordLine(full)), {
    ...full,
    stages: { resolve: 0.123, answer: 2 },
    milliseconds: 12.346,
  })
  const bare = record('2026-01-01T00:00:00.000Z')
  assert.deepEqual(JSON.parse(recordLine(bare)), bare)
})

it('keeps no query and no endless path', () => {
  assert.equal(recordedPath('/latest?token=secret'), '/latest')
  assert.equal(recordedPath(`/${'a'.repeat(1000)}`).length, 256)
})

it('puts the hops of a request in the order it went, whichever stopped its clock last', () => {
  const time = '2026-01-01T00:00:00.000Z'
  const [journey] = journeys([
    record(time, { daemon: 'metadata-api', from: '127.0.0.1', status: 404, milliseconds: 2.6 }),
    record(time, { daemon: 'metadata-agent', from: '10.0.0.9', status: 200, milliseconds: 2.2 }),
    record(time, { daemon: 'metadata-proxy', from: '10.0.0.9', status: 200, milliseconds: 2.4 }),
  ])
  assert.deepEqual(
    journey?.hops.map(({ daemon }) => daemon),
    ['metadata-proxy', 'metadata-agent', 'metadata-api'],
  )
  assert.deepEqual([journey?.status, journey?.from], [200, '10.0.0.9'])
})
