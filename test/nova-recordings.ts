import { readdirSync, readFileSync } from 'node:fs'
import type { Json } from '../src/documents/json.ts'
import type { Instance } from '../src/inventory/records/instance.ts'
import { type Ec2IdsByCase, instancesOf, readInputs } from './nova-inputs.ts'

/** The recordings of a real Nova under test/golden/nova, and their inputs as our records. */
const FOLDER = new URL('golden/nova/', import.meta.url)

export interface Recording {
  readonly header_sets: readonly (readonly (readonly [string, string])[])[]
  readonly responses: readonly RecordedResponse[]
}

export interface RecordedResponse {
  readonly m: string
  readonly p: string
  readonly s: number
  readonly h: number
  readonly len: number
  readonly body?: string
  readonly b64?: string
  readonly random_seed_chars?: number
  readonly note?: string
  readonly sent?: string
}

export interface RecordedDrive {
  readonly files: readonly { path: string; bytes: number; text?: string; b64?: string; random_seed_chars?: number }[]
}

export const recordedInputs = readInputs(readFileSync(new URL('inputs.json', FOLDER), 'utf8'))
export const recordedEc2Ids = read<Ec2IdsByCase>('ec2ids.json')

export const recordedSettings = {
  sharedSecret: recordedInputs.shared_secret,
  dhcpDomain: recordedInputs.dhcp_domain,
  staticVendorData: recordedInputs.vendordata_static,
}

/** What the stand-in for the dynamic targets answered: `alpha` was configured twice and `static` clashed. */
export function recordedTargets(instance: Instance): readonly (readonly [string, Json])[] {
  const answer = (service: string) => ({ service, hostname: instance.hostname, n: 7 })
  return [
    ['alpha', answer('alpha')],
    ['beta', answer('beta')],
    ['alpha', answer('second')],
    ['static', answer('clash')],
    ['broken', {}],
    ['empty', {}],
  ]
}

/** By case name. */
export const recordedInstances: ReadonlyMap<string, Instance> = instancesOf(recordedInputs, recordedEc2Ids)

export function recordedInstance(name: string): Instance {
  const instance = recordedInstances.get(name)
  if (!instance) throw new Error(`no recorded instance ${name}`)
  return instance
}

export function readWalks(): readonly { readonly name: string; readonly recording: Recording }[] {
  return casesIn('walk').map((name) => ({ name, recording: read<Recording>(`walk/${name}.json`) }))
}

export function readDrives(): readonly { readonly name: string; readonly drive: RecordedDrive }[] {
  return casesIn('config-drive').map((name) => ({ name, drive: read<RecordedDrive>(`config-drive/${name}.json`) }))
}

export function readPasswordSequences(): Recording {
  return read<Recording>('password.json')
}

function casesIn(folder: string): readonly string[] {
  return readdirSync(new URL(folder, FOLDER)).map((file) => file.replace(/\.json$/, ''))
}

function read<T>(file: string): T {
  return JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as T
}
