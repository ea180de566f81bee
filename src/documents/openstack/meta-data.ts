import type { Instance } from '../../inventory/records/instance.ts'
import type { Context, Prepared } from '../context.ts'
import { qualifiedHostname } from '../host-name.ts'
import { type Json, writeMember } from '../json.ts'
import { contentPath, contents } from './content.ts'
import { deviceList } from './devices.ts'
import type { OpenstackVersion } from './versions.ts'

/** One member of meta_data.json. `draw` gives undefined when this instance has none. */
interface Row {
  readonly name: string
  readonly since: OpenstackVersion
  readonly draw: (instance: Instance, context: Context, version: OpenstackVersion) => Json | undefined
}

/** In wire order; between these and the next table stands `random_seed`. */
const BEFORE_SEED: readonly Row[] = [
  { name: 'uuid', since: '2012-08-10', draw: ({ id }) => id },
  { name: 'meta', since: '2012-08-10', draw: properties },
  { name: 'files', since: '2012-08-10', draw: files },
  { name: 'admin_pass', since: '2012-08-10', draw: adminPassword },
  { name: 'network_config', since: '2012-08-10', draw: networkConfig },
  { name: 'public_keys', since: '2012-08-10', draw: publicKeys },
  { name: 'keys', since: '2012-08-10', draw: keys },
  {
    name: 'hostname',
    since: '2012-08-10',
    draw: (instance, { dhcpDomain }) => qualifiedHostname(instance, dhcpDomain),
  },
  { name: 'name', since: '2012-08-10', draw: ({ name }) => name },
  { name: 'launch_index', since: '2012-08-10', draw: ({ launchIndex }) => launchIndex },
  { name: 'availability_zone', since: '2012-08-10', draw: ({ availabilityZone }) => availabilityZone },
]

const SEED_SINCE: OpenstackVersion = '2013-04-04'

const AFTER_SEED: readonly Row[] = [
  { name: 'project_id', since: '2015-10-15', draw: ({ projectId }) => projectId },
  { name: 'devices', since: '2016-06-30', draw: ({ devices }, _, version) => deviceList(devices, version) },
  { name: 'dedicated_cpus', since: '2020-10-14', draw: dedicatedCpus },
]

/** meta_data.json. All but the seed is the same until the instance changes, and may come prepared. */
export function metaData(instance: Instance, version: OpenstackVersion, context: Context): Uint8Array {
  const prepared: Prepared = context.prepared ?? ((_, draw) => draw())
  const [head = EMPTY, tail] = prepared(`meta_data.json ${version}`, () => drawAroundSeed(instance, version, context))
  if (tail === undefined) return head
  return Buffer.concat([head, Buffer.from(Buffer.from(context.randomSeed).toString('base64')), tail])
}

const EMPTY = new Uint8Array()

/** The document as one piece, or as the pieces before and behind the seed's text. */
function drawAroundSeed(instance: Instance, version: OpenstackVersion, context: Context): readonly Uint8Array[] {
  const members = (rows: readonly Row[]) =>
    rows
      .filter((row) => row.since <= version)
      .map((row) => writeMember(row.name, row.draw(instance, context, version)))
      .filter((text) => text !== '')
  const before = members(BEFORE_SEED).join(', ')
  if (version < SEED_SINCE) return [Buffer.from(`{${before}}`)]
  const after = members(AFTER_SEED).map((text) => `, ${text}`)
  return [Buffer.from(`{${before}, "random_seed": "`), Buffer.from(`"${after.join('')}}`)]
}

function properties({ properties }: Instance): Json | undefined {
  return properties.length === 0 ? undefined : new Map(properties)
}

function files(instance: Instance, context: Context): Json | undefined {
  const injected = contents(instance, context).flatMap((content) =>
    content.injectedAs === null ? [] : [{ path: content.injectedAs, content_path: contentPath(content) }],
  )
  return injected.length === 0 ? undefined : injected
}

function adminPassword({ adminPassword }: Instance, { carrier }: Context): Json | undefined {
  return carrier === 'config-drive' && adminPassword !== null ? adminPassword : undefined
}

function networkConfig(instance: Instance, context: Context): Json | undefined {
  const template = contents(instance, context).find((content) => content.injectedAs === null)
  return template && { name: 'network_config', content_path: contentPath(template) }
}

/** The key pair as it was at creation; one that is gone leaves neither this member nor the next. */
function publicKeys({ keypair }: Instance): Json | undefined {
  return keypair === null ? undefined : new Map([[keypair.name, keypair.data]])
}

function keys({ keypair }: Instance): Json | undefined {
  return keypair === null ? undefined : [{ name: keypair.name, type: keypair.type, data: keypair.data }]
}

/** The pinned CPUs of all NUMA cells together. One that two cells name appears twice. */
function dedicatedCpus({ pinnedCpus }: Instance): Json {
  return pinnedCpus.flatMap((cell) => [...new Set(cell)]).sort((a, b) => a - b)
}
