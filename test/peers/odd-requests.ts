import { createHmac } from 'node:crypto'
import type { Random } from './random.ts'
import type { Asked } from './wire.ts'

/** Requests that no sane client sends: paths bent by the rules of the grammar and against them, methods, forms of the
 *  Accept header, credentials that lack something. */

type Fields = Asked['fields']
type Bend = (path: string, random: Random) => string

const BENDS: readonly Bend[] = [
  (path) => `${path}/`,
  (path) => `${path}//`,
  (path) => `/${path}`,
  (path) => `//${path}`,
  (path) => `${path}/x`,
  (path) => `${path}/x/y`,
  (path) => `${path}/0`,
  (path) => `${path}/../x`,
  (path) => `${path}/.`,
  (path) => `${path}/..`,
  (path) => `/x/..${path}`,
  (path) => `/../..${path}`,
  (path) => `/./${path}`,
  (path) => `/ec2${path}`,
  (path) => `/openstack${path}`,
  (path) => `/openstack/../${path}`,
  (path) => `${path}?a=b&c`,
  (path) => `${path}?`,
  (path) => `${path}%3Fa=b`,
  (path) => `${path};v=1`,
  (path) => `${path}#x`,
  (path) => `${path}%23x`,
  (path) => `${path}%20`,
  (path) => `${path}+`,
  (path) => `${path}%00`,
  (path) => `${path}%`,
  (path) => `${path}%zz`,
  (path) => `${path}%E9`,
  (path) => `${path}%C3%A9`,
  (path) => `${path}%F0%9F%98%80`,
  (path) => `${path}%ED%A0%80`,
  (path) => `${path}\u00e9`,
  (path) => `${path}\u00c3\u00a9`,
  (path) => `${path}%2Fx`,
  (path) => `%2F${path}`,
  (path) => `/%2F${path}`,
  (path) => `/%2E%2e${path}`,
  (path) => `${path}\\x`,
  (path) => `${path}"<>^\`{|}`,
  (path) => `http://any.host${path}`,
  (path) => `HTTP://any.host:80${path}`,
  (path) => `https://any.host${path}`,
  (path) => `http://${path}`,
  (path) => path.slice(1),
  (path) => path.toUpperCase(),
  (path, random) => changeAt(path, random, '/', () => '//'),
  (path, random) => changeAt(path, random, '/', () => '/./'),
  (path, random) => changeAt(path, random, '/', () => '%2F'),
  (path, random) => changeAt(path, random, '/', () => '/x/../'),
  (path, random) => changeAt(path, random, /[a-z]/, percentEncoded),
  (path, random) => changeAt(path, random, /[a-z]/, (letter) => percentEncoded(letter).toUpperCase()),
  (path, random) => changeAt(path, random, /[a-z]/, (letter) => letter.toUpperCase()),
  (path, random) => changeAt(path, random, '-', () => '_'),
  // Around the longest request line: 8191 bytes, of which the method, two blanks, the version and the line end are 16.
  (path, random) => `${path}${'/'.repeat(8191 - 16 - path.length + random.integer(-1, 2))}`,
]

/** Changes one of the places where the pattern is found. */
function changeAt(path: string, random: Random, pattern: string | RegExp, change: (found: string) => string): string {
  const places = [...path.matchAll(new RegExp(pattern, 'g'))].map((found) => found.index)
  if (places.length === 0) return path
  const place = random.pick(places)
  return path.slice(0, place) + change(path.charAt(place)) + path.slice(place + 1)
}

function percentEncoded(letter: string): string {
  return `%${letter.charCodeAt(0).toString(16)}`
}

const METHODS = ['HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'FOO', 'get'] as const

const ACCEPTS = [
  ...['*/*', 'text/html', 'application/json', 'text/plain', 'text/*', 'application/*', '', 'nonsense', ','],
  ...['application/json, text/html;q=0.9', 'text/html;q=0.5, application/json;q=0.5', 'text/html;q=0, */*;q=0.1'],
  ...['application/json;q=0', 'text/html;level=1', '*/*;q=0.001, text/plain', 'text/html;q=2', 'TEXT/HTML'],
] as const

/** Documents are read by any method; the password resource is left to its own sequences. */
export function oddRequest(random: Random, paths: readonly string[], fields: Fields): Asked {
  const path = random.pick(paths.filter((each) => !each.endsWith('/password')))
  const bends = random.list(random.once(3) ? 0 : 1, random.once(3) ? 3 : 1, () => random.pick(BENDS))
  const target = bends.reduce((bent, bend) => bend(bent, random), path)
  const method = random.once(2) ? 'GET' : random.pick(METHODS)
  const accept: Fields = random.once(2) ? [['Accept', random.pick(ACCEPTS)]] : []
  const odd = random.once(4) ? random.pick(ODD_FIELDS) : (usual: Fields) => usual
  return { method, target, fields: [...odd(fields, random), ...accept] }
}

/** What may be wrong with the agent's headers, or beside them, and must be answered alike. */
const ODD_FIELDS: readonly ((fields: Fields, random: Random) => Fields)[] = [
  () => [],
  (fields, random) => fields.filter((_, index) => index !== random.integer(0, 3)),
  (fields, random) => changed(fields, random.pick(fields)[0], () => ''),
  (fields, random) => [...fields, random.pick(fields)],
  (fields) => changed(fields, 'X-Instance-ID-Signature', (value) => value.toUpperCase()),
  (fields) => changed(fields, 'X-Instance-ID-Signature', (value) => value.slice(1)),
  (fields) => changed(fields, 'X-Instance-ID-Signature', () => 'é'),
  (fields) => changed(fields, 'X-Tenant-ID', (value) => value.toUpperCase()),
  (fields) => changed(fields, 'X-Tenant-ID', (value) => `  ${value} `),
  (fields) => fields.map(([name, value]) => [name.toUpperCase(), value]),
  (fields) => fields.map(([name, value]) => [name.toLowerCase(), value]),
  (fields) => resigned(fields, (id) => id.replaceAll('-', '')),
  (fields) => resigned(fields, (id) => id.replace(/.$/, (last) => (last === '0' ? '1' : '0'))),
  (fields) => resigned(fields, () => 'x'),
  (fields) => [...fields, ['Range', 'bytes=0-3'], ['If-None-Match', '*'], ['Accept-Encoding', 'gzip']],
  (fields) => [...fields, ['Host', 'any.host'], ['Expect', 'nothing']],
  (fields) => [...fields, ['Connection', 'close']],
  (fields) => [...fields, ['X-Long', 'x'.repeat(9000)]],
  (fields) => [...fields, ['X-Metadata-Provider', '']],
  (fields) => [...fields, ['X-Neutron-Network-ID', 'forged'], ['X-Forwarded-Proto', 'https']],
]

function changed(fields: Fields, name: string, change: (value: string) => string): Fields {
  return fields.map((field) => (field[0] === name ? [name, change(field[1])] : field))
}

const SHARED_SECRET = 'peer-secret'

function resigned(fields: Fields, change: (id: string) => string): Fields {
  const id = change(fields.find(([name]) => name === 'X-Instance-ID')?.[1] ?? '')
  return changed(
    changed(fields, 'X-Instance-ID', () => id),
    'X-Instance-ID-Signature',
    () => sign(id),
  )
}

function sign(instanceId: string): string {
  return createHmac('sha256', SHARED_SECRET).update(instanceId).digest('hex')
}

/** The headers an agent sends for the instance. */
export function agentFields(instance: { readonly uuid: string; readonly project_id: string }, random: Random): Fields {
  const forwardedFor: Fields = random.once(6) ? [] : [['X-Forwarded-For', random.pick(FORWARDERS)]]
  return [
    ['X-Instance-ID', instance.uuid],
    ['X-Tenant-ID', instance.project_id],
    ['X-Instance-ID-Signature', sign(instance.uuid)],
    ...forwardedFor,
  ]
}

const FORWARDERS = ['10.0.0.9', 'fe80::1', '10.0.0.9, 10.0.0.10', '', 'unknown'] as const
