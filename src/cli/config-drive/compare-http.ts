import { type Json, writeJson } from '../../documents/json.ts'
import { readJson } from '../../documents/json-reader.ts'
import { compareDocuments, type Difference } from '../diff/compare.ts'
import { type Documents, type Get, readDocuments } from '../diff/read-documents.ts'

/** What became of one document since the drive was built. */
export interface Verdict {
  readonly path: string
  /** `missing`: a drive built now would have it. `surplus`: it would not. */
  readonly state: 'same' | 'stale' | 'missing' | 'surplus'
  /** `record`: HTTP never shows it (injected files), so it is held against the server's record. */
  readonly against: 'http' | 'record'
  readonly differences: readonly Difference[]
}

/**
 * Holds every document of a drive against what HTTP answers now, in order of the paths.
 * @param fresh  the drive as it would be built now: for what HTTP has no answer to
 */
export async function compareWithHttp(drive: Documents, fresh: Documents, get: Get): Promise<readonly Verdict[]> {
  const paths = [...new Set([...drive.keys(), ...fresh.keys()])].sort()
  return Promise.all(paths.map((path) => compareOne(path, drive.get(path), fresh.get(path), get)))
}

type Body = Uint8Array | undefined

async function compareOne(path: string, drive: Body, fresh: Body, get: Get): Promise<Verdict> {
  const answered = await httpBody(path, get)
  const against = answered === undefined ? 'record' : 'http'
  if (drive === undefined) return { path, state: 'missing', against, differences: [] }
  if (fresh === undefined) return { path, state: 'surplus', against, differences: [] }
  const ofRecord = differences(path, drive, fresh)
  const ofHttp = answered === undefined ? ofRecord : differences(path, comparable(path, drive), answered)
  const found = [...ofHttp.filter((each) => !isDriveOnly(each)), ...ofRecord.filter(isDriveOnly)]
  return { path, state: found.length === 0 ? 'same' : 'stale', against, differences: found }
}

function differences(path: string, before: Uint8Array, after: Uint8Array): readonly Difference[] {
  return compareDocuments(new Map([[path, before]]), new Map([[path, after]]))
}

/** Members of meta_data.json that HTTP never shows. */
function isDriveOnly({ path, member }: Difference): boolean {
  return path.endsWith('/meta_data.json') && /^(files|admin_pass)\b/.test(member ?? '')
}

const EC2_DOCUMENT = /^ec2\/([^/]+)\/meta-data\.json$/

/** @returns undefined when HTTP does not have it */
async function httpBody(path: string, get: Get): Promise<Body> {
  const version = EC2_DOCUMENT.exec(path)?.[1]
  if (version !== undefined) return ec2Body(version, get)
  const { status, body } = await get(`/${path}`)
  return status === 200 ? body : undefined
}

/** The tree below `meta-data` as one JSON document of texts, by path. */
async function ec2Body(version: string, get: Get): Promise<Body> {
  const documents = await readDocuments(get, 'ec2', version)
  const leaves = [...documents].flatMap(([path, body]): [string, string][] => {
    const name = /^meta-data\/(.*)$/.exec(path)?.[1]
    return name === undefined ? [] : [[name, Buffer.from(body).toString()]]
  })
  return leaves.length === 0 ? undefined : Buffer.from(writeJson(new Map(leaves)))
}

/** The drive's typed EC2 document in the same form. */
function comparable(path: string, body: Uint8Array): Uint8Array {
  const document = EC2_DOCUMENT.test(path) ? parsed(body) : undefined
  return document === undefined ? body : Buffer.from(writeJson(new Map(ec2Texts(document, ''))))
}

function parsed(body: Uint8Array): Json | undefined {
  try {
    return readJson(Buffer.from(body).toString())
  } catch {
    return undefined
  }
}

/** As HTTP prints values. `_name` is what the parent's listing shows. */
function ec2Texts(value: Json, at: string): [string, string][] {
  if (!(value instanceof Map)) return [[at, ec2Text(value)]]
  const members = [...(value as ReadonlyMap<string, Json>)]
  const names = members.flatMap(([, below]) => (below instanceof Map ? (below.get('_name') ?? []) : []))
  const listing: [string, string][] = names.length === 0 ? [] : [[`${at}/`, names.join('\n')]]
  const below = members.filter(([name]) => name !== '_name')
  return [...listing, ...below.flatMap(([name, member]) => ec2Texts(member, at === '' ? name : `${at}/${name}`))]
}

function ec2Text(value: Json): string {
  if (value === null) return 'None'
  return Array.isArray(value) ? value.join('\n') : String(value)
}
