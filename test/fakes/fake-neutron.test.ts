import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { type FakeNeutron, startFakeNeutron } from './fake-neutron.ts'
import type { WirePort } from './fake-neutron-ports.ts'

interface Recording {
  readonly path: string
  readonly status: number
  readonly body: { readonly ports?: readonly WirePort[]; readonly ports_links?: unknown }
}

const golden = new URL('../golden/neutron/rest-ports.json', import.meta.url)
const recordings = JSON.parse(readFileSync(golden, 'utf8')) as readonly Recording[]

describe('the fake Neutron answers as the real one was recorded', () => {
  let fake: FakeNeutron
  before(async () => {
    fake = await startFakeNeutron()
    const ports = recordings.flatMap(({ body }) => body.ports ?? [])
    fake.ports.push(...new Map(ports.map((port) => [port.id, port])).values())
  })
  after(() => fake.stop())

  // One port alone is not asked for by anything of ours.
  for (const { path, status, body } of recordings.filter(({ path }) => !/ports\/./.test(path)))
    it(path, async () => {
      const answer = await fetch(`${fake.url}${path}`)
      const said = JSON.parse((await answer.text()).replaceAll(fake.url, 'http://127.0.0.1:19696'))
      assert.equal(answer.status, status)
      assert.deepEqual(said, body)
    })
})
