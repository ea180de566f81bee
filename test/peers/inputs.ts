import { type Json, writeJson } from '../../src/documents/json.ts'
import { Random } from './random.ts'
import { type Aspect, randomInstance, SECURITY_GROUPS, type SeedInstance } from './random-instance.ts'

const SHARED_SECRET = 'peer-secret'
const DHCP_DOMAIN = 'novalocal'

/** Which instances: the same numbers give the same ones. */
export interface Sample {
  readonly seed: number
  readonly number: number
  /** All when absent. */
  readonly aspects?: readonly Aspect[]
}

export function drawInstance({ seed, number, aspects }: Sample): SeedInstance {
  const alone = aspects === undefined ? [] : aspects.map(({ name }) => name)
  const caseName = [`${seed}/${number}`, ...alone].join(' ')
  const makeRandom = (part: number) => new Random(seed, number, part)
  const instance = randomInstance(makeRandom, caseName, aspects)
  // Instances that differ only in what varies must not be one row of Nova's database.
  return alone.length === 0 ? instance : { ...instance, uuid: new Random(seed, number, ...codes(caseName)).uuid() }
}

function codes(text: string): readonly number[] {
  return [...text].map((character) => character.codePointAt(0) ?? 0)
}

/** inputs.json for a Nova that is to know these instances. */
export function printInputs(instances: readonly SeedInstance[]): string {
  return writeJson({
    shared_secret: SHARED_SECRET,
    dhcp_domain: DHCP_DOMAIN,
    vendordata_static: VENDOR_DATA,
    security_groups: SECURITY_GROUPS,
    ports: instances.flatMap((instance) => instance.port_security_groups.map((groups) => port(instance, groups))),
    instances: instances as unknown as Json,
    metadata_provider: { id: 'none', networks: [] },
  })
}

const VENDOR_DATA: Json = new Map<string, Json>([
  ['region', 'peer-1'],
  ['10', 'before'],
  ['2', ['after', null, true, 2.5, { café: '世 😀' }]],
])

/** Nova asks Neutron for an instance's ports to learn its security groups, and for nothing else. */
function port(instance: SeedInstance, groups: readonly string[]): Json {
  return { device_id: instance.uuid, device_owner: 'compute:nova', security_groups: groups }
}
