import assert from 'node:assert/strict'
import type { Handler, HttpReply } from '../src/http/messages.ts'
import type { MetadataApi, MetadataApiDeps } from '../src/metadata-api/metadata-api.ts'
import {
  type RecordedResponse,
  type Recording,
  readPasswordSequences,
  recordedInstance,
  recordedSettings,
  recordedTargets,
} from './nova-recordings.ts'
import { agentHeaders, bodyText, request, sentFieldNames } from './nova-service.ts'

/** Asks a service again what the recorded Nova was asked, and compares status, headers and their order, and bytes. */

/** How the recorded Nova was set up. */
export const recordedDeps = {
  ...recordedSettings,
  options: {
    release: 'zed',
    dhcpDomain: recordedSettings.dhcpDomain,
    serviceMetadataProxy: true,
    vendordataProviders: ['StaticJSON', 'DynamicJSON'],
  },
  dynamicVendorData: async (instance) => recordedTargets(instance),
} satisfies Partial<MetadataApiDeps>

/** Every path of one instance, by signed headers and by a caller who is known. */
export async function replayWalk({ handler, answer }: MetadataApi, name: string, recording: Recording): Promise<void> {
  const { id, projectId } = recordedInstance(name)
  const headers = agentHeaders({ id, projectId }, recordedSettings.sharedSecret)
  const caller = { instanceId: id, projectId, requesterAddress: '10.20.0.11' }
  for (const recorded of recording.responses) {
    const asked = request({ method: recorded.m, target: recorded.p, headers })
    const fields = recording.header_sets[recorded.h] ?? []
    compare(recorded, fields, await handler(asked))
    compare(recorded, fields, await answer(caller, asked))
  }
}

function compare(recorded: RecordedResponse, fields: readonly (readonly [string, string])[], reply: HttpReply): void {
  const where = `${recorded.m} ${recorded.p}`
  assert.equal(reply.status, recorded.s, where)
  assert.equal(reply.body.length, recorded.len, `${where}: length`)
  assert.deepEqual(maskSeed(reply, recorded), recordedBody(recorded), where)
  const sent = fields.filter(([field]) => field !== 'Date' && field !== 'Connection')
  assert.deepEqual(
    sentFieldNames(reply),
    sent.map(([field]) => field),
    `${where}: header order`,
  )
  for (const [field, value] of sent.filter(([, value]) => value !== '*')) {
    assert.equal(reply.headers.find(([name]) => name === field)?.[1], value, `${where}: ${field}`)
  }
}

function recordedBody({ body, b64 }: RecordedResponse): string {
  return Buffer.from(b64 ?? body ?? '', b64 === undefined ? 'utf8' : 'base64').toString('latin1')
}

function maskSeed(reply: HttpReply, { random_seed_chars }: RecordedResponse): string {
  const body = Buffer.from(reply.body).toString('latin1')
  if (random_seed_chars === undefined) return body
  const seed = /"random_seed": "([^"]*)"/.exec(body)?.[1] ?? ''
  assert.equal(seed.length, random_seed_chars)
  return body.replace(seed, '*')
}

/** The rows of the password sequences that differ on purpose, by what the recorder noted. */
const DEVIATIONS: ReadonlyMap<string, { readonly status: number; readonly body?: string; readonly why: string }> =
  new Map([
    ['q1-password-post: no Content-Length and no body', { status: 400, why: 'Nova crashes' }],
    ['q2-password-limits: not UTF-8', { status: 400, why: 'Nova crashes' }],
    ['q1-password-post: at once', { status: 200, body: 'first-secret', why: 'Nova answers from its cache for 15 s' }],
    ['q1-password-post: second, at once', { status: 409, why: 'Nova overwrites within its cache time' }],
    [
      'q1-password-post: after the 15 s cache time',
      { status: 200, body: 'first-secret', why: 'nothing was overwritten' },
    ],
    ['q1-password-post: after the third', { status: 200, body: 'first-secret', why: 'nothing was overwritten' }],
  ])

/** The password sequences of three instances, but for the named deviations, each of which has to show. */
export async function replayPasswordSequences(handler: Handler): Promise<void> {
  const { header_sets, responses } = readPasswordSequences()
  const unmet = new Set(DEVIATIONS.keys())
  for (const recorded of responses) {
    const note = recorded.note ?? ''
    const instance = recordedInstance(note.split(':')[0] ?? '')
    const body = sentBody(recorded)
    const headers = agentHeaders(instance, recordedSettings.sharedSecret)
    const reply = await handler(
      request({ method: recorded.m, target: recorded.p, headers, ...(body === undefined ? {} : { body }) }),
    )
    const deviation = DEVIATIONS.get(note)
    if (deviation === undefined) {
      compare(recorded, header_sets[recorded.h] ?? [], reply)
      continue
    }
    unmet.delete(note)
    assert.equal(reply.status, deviation.status, note)
    if (deviation.body !== undefined) assert.equal(bodyText(reply), deviation.body, note)
  }
  assert.deepEqual([...unmet], [])
}

/** Text decoded as Latin-1, or only its length: 1021 times x, 1020 times y. */
function sentBody({ sent }: RecordedResponse): Uint8Array | undefined {
  if (sent === undefined) return undefined
  const length = /^(\d+) bytes$/.exec(sent)?.[1]
  if (length === undefined) return Buffer.from(sent, 'latin1')
  return Buffer.alloc(Number(length), length === '1021' ? 'x' : 'y')
}
