import { createHash } from 'node:crypto'
import { type Json, writeJson } from '../../documents/json.ts'
import { readJson } from '../../documents/json-reader.ts'
import type { Documents } from './read-documents.ts'

/** One value that differs. Values are JSON text; null stands for a document or member that is not there. */
export interface Difference {
  readonly path: string
  /** `devices[0].mac` in a JSON document; null for a document as a whole. */
  readonly member: string | null
  readonly before: string | null
  readonly after: string | null
}

/** What differs between two trees, in order of the paths. JSON documents are compared by members, so that neither the
 *  order of names nor blanks count; the random seed, which is new at every request, does not count either. */
export function compareDocuments(before: Documents, after: Documents): readonly Difference[] {
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort()
  return paths.flatMap((path) => {
    const [a, b] = [values(path, before.get(path)), values(path, after.get(path))]
    if (a.size === 0 && b.size === 0) return []
    const isWhole = !before.has(path) || !after.has(path)
    if (isWhole) return [{ path, member: null, before: whole(path, before), after: whole(path, after) }]
    const members = new Set([...a.keys(), ...b.keys()])
    return Array.from(members, (member) => ({
      path,
      member,
      before: a.get(member) ?? null,
      after: b.get(member) ?? null,
    }))
      .filter((each) => each.before !== each.after)
      .map((each) => ({ ...each, member: each.member === '' ? null : each.member }))
  })
}

const SEED = 'random_seed'

/** The values of a document by member; a document that is no JSON is one value, under the empty name. */
function values(path: string, body: Uint8Array | undefined): ReadonlyMap<string, string> {
  if (body === undefined) return new Map()
  const json = path.endsWith('.json') ? parsed(body) : undefined
  return json === undefined
    ? new Map([['', textOf(body)]])
    : new Map(leaves(json, '').filter(([member]) => member !== SEED))
}

function whole(path: string, documents: Documents): string | null {
  const body = documents.get(path)
  if (body === undefined) return null
  const json = path.endsWith('.json') ? parsed(body) : undefined
  return json === undefined ? textOf(body) : writeJson(json)
}

function parsed(body: Uint8Array): Json | undefined {
  try {
    return readJson(Buffer.from(body).toString('utf8'))
  } catch {
    return undefined
  }
}

/** Empty lists and mappings are values too. */
function leaves(value: Json, at: string): (readonly [member: string, text: string])[] {
  const inner = entries(value, at)
  return inner === undefined || inner.length === 0
    ? [[at, writeJson(value)]]
    : inner.flatMap(([member, each]) => leaves(each, member))
}

function entries(value: Json, at: string): (readonly [string, Json])[] | undefined {
  if (isList(value)) return value.map((each, i) => [`${at}[${i}]`, each] as const)
  if (!(value instanceof Map)) return undefined
  return Array.from(value as ReadonlyMap<string, Json>, ([name, each]) => [memberName(at, name), each] as const)
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value)
}

function memberName(at: string, name: string): string {
  if (!/^[\w-]+$/.test(name)) return `${at}[${JSON.stringify(name)}]`
  return at === '' ? name : `${at}.${name}`
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function textOf(body: Uint8Array): string {
  try {
    return JSON.stringify(utf8.decode(body))
  } catch {
    const digest = createHash('sha256').update(body).digest('hex')
    return JSON.stringify(`${body.length} bytes, sha256 ${digest}`)
  }
}
