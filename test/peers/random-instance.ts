import { gzipSync } from 'node:zlib'
import type { DeviceBus } from '../../src/inventory/records/server.ts'
import type { NovaBlockDevice, NovaDevice, NovaInstance } from '../nova-inputs.ts'
import type { Random } from './random.ts'
import { randomVif } from './random-network.ts'
import { anyText, hostName, name } from './random-text.ts'

/** An instance in the terms of inputs.json, with what only the seeding of Nova's database needs. */
export interface SeedInstance extends NovaInstance {
  readonly flavor: {
    readonly name: string
    readonly vcpus: number
    readonly memory_mb: number
    readonly root_gb: number
  }
  /** Ids, port by port. */
  readonly port_security_groups: readonly (readonly string[])[]
}

/** Two have the same name, one has none. */
export const SECURITY_GROUPS = [
  { id: '10000000-0000-4000-8000-000000000001', name: 'default' },
  { id: '10000000-0000-4000-8000-000000000002', name: 'web & <db>' },
  { id: '10000000-0000-4000-8000-000000000003', name: 'dé-世-😀' },
  { id: '10000000-0000-4000-8000-000000000004', name: 'default' },
  { id: '10000000-0000-4000-8000-000000000005', name: '' },
] as const

const IMAGES = [
  '20000000-0000-4000-8000-000000000001',
  '20000000-0000-4000-8000-000000000002',
  '20000000-0000-4000-8000-000000000003',
] as const

/** One side of an instance that varies on its own: where two services differ, it is tried alone. */
export interface Aspect {
  readonly name: string
  readonly draw: (random: Random) => Partial<SeedInstance>
}

export const ASPECTS: readonly Aspect[] = [
  { name: 'names', draw: (random) => ({ display_name: anyText(random, 1, 40), hostname: hostName(random) }) },
  { name: 'properties', draw: (random) => ({ metadata: properties(random) }) },
  { name: 'user data', draw: (random) => ({ user_data: userData(random) }) },
  { name: 'key', draw: key },
  { name: 'image', draw: image },
  { name: 'flavor', draw: (random) => ({ flavor: flavor(random.pick(['m1.small', 'c2 große', 'g/1?x=1', '😀'])) }) },
  { name: 'placement', draw: placement },
  { name: 'block devices', draw: blockDevices },
  {
    name: 'devices',
    draw: (random) => ({ device_metadata: random.once(3) ? null : random.list(0, 4, () => device(random)) }),
  },
  { name: 'pinned CPUs', draw: pinnedCpus },
  { name: 'network', draw: (random) => ({ network_info: random.list(0, 3, () => randomVif(random)) }) },
  { name: 'security groups', draw: securityGroups },
  { name: 'password', draw: (random) => ({ system_metadata: { ...(random.once(2) ? {} : password(random)) } }) },
]

/** The instance before anything varies. */
export function plainInstance(random: Random, caseName: string): SeedInstance {
  return {
    case: caseName,
    uuid: random.uuid(),
    project_id: random.hex(32),
    user_id: random.hex(32),
    display_name: 'plain',
    hostname: 'plain',
    reservation_id: 'r-00000001',
    launch_index: 0,
    availability_zone: 'nova',
    image_ref: IMAGES[0],
    kernel_id: '',
    ramdisk_id: '',
    key_name: null,
    key_data: null,
    keypair: null,
    flavor: flavor('m1.small'),
    root_device_name: '/dev/vda',
    default_ephemeral_device: null,
    default_swap_device: null,
    block_devices: [],
    user_data: null,
    metadata: new Map(),
    system_metadata: {},
    device_metadata: null,
    numa_pcpusets: null,
    network_info: [],
    config_drive_only: { files: [], extra_md: {} },
    port_security_groups: [],
  }
}

/** @param aspects  those that vary; the others stay plain, with the same values for the same `random` sequence */
export function randomInstance(
  makeRandom: (part: number) => Random,
  caseName: string,
  aspects = ASPECTS,
): SeedInstance {
  const drawn = ASPECTS.map(({ draw }, part) => draw(makeRandom(part + 1)))
  const varying = drawn.filter((_, part) => aspects.some(({ name }) => name === ASPECTS[part]?.name))
  return Object.assign(plainInstance(makeRandom(0), caseName), ...varying) as SeedInstance
}

function flavor(name: string): SeedInstance['flavor'] {
  return { name, vcpus: 1, memory_mb: 512, root_gb: 1 }
}

function properties(random: Random): ReadonlyMap<string, string> {
  return new Map(random.list(0, 6, () => [name(random), anyText(random, 0, 60)] as const))
}

const KINDS_OF_USER_DATA: readonly ((random: Random) => Uint8Array | null)[] = [
  () => null,
  () => new Uint8Array(),
  () => Buffer.from('#!/bin/sh\necho hello\n'),
  (random) => Buffer.from(`#cloud-config\nhostname: "${anyText(random)}"\n`),
  (random) => gzipSync(anyText(random, 0, 200)),
  (random) => random.bytes(random.integer(1, 2000)),
  (random) => random.bytes(49_149), // 65532 characters of base64: the API takes 65535
]

/** base64, now and then in lines, as the `base64` program writes it. */
function userData(random: Random): string | null {
  const data = random.pick(KINDS_OF_USER_DATA)(random)
  if (data === null) return null
  const text = Buffer.from(data).toString('base64')
  return random.once(4) ? text.replace(/.{76}(?=.)/g, '$&\n') : text
}

function key(random: Random): Partial<SeedInstance> {
  if (random.once(5)) return {}
  const keyName = name(random)
  const type = random.pick(['ssh', 'ssh', 'x509'] as const)
  const text =
    type === 'ssh'
      ? `ssh-ed25519 ${Buffer.from(random.bytes(33)).toString('base64')} ${anyText(random, 0, 8)}`
      : `-----BEGIN CERTIFICATE-----\n${Buffer.from(random.bytes(48)).toString('base64')}\n-----END CERTIFICATE-----`
  const data = random.once(3) ? `${text}\n` : text
  const isGone = random.once(5)
  return {
    key_name: keyName,
    key_data: random.once(8) ? `${data} ` : data,
    keypair: isGone ? null : { name: keyName, type, data },
  }
}

function image(random: Random): Partial<SeedInstance> {
  const part = () => (random.once(2) ? '' : random.pick(IMAGES))
  return { image_ref: random.once(4) ? '' : random.pick(IMAGES), kernel_id: part(), ramdisk_id: part() }
}

function placement(random: Random): Partial<SeedInstance> {
  return {
    availability_zone: random.once(4) ? null : random.pick(['nova', 'az-1', 'zone é']),
    launch_index: random.pick([0, 0, 1, 41]),
    reservation_id: `r-${random
      .integer(0, 36 ** 6)
      .toString(36)
      .padStart(8, '0')}`,
  }
}

function blockDevices(random: Random): Partial<SeedInstance> {
  const deviceName = () => (random.once(5) ? null : `/dev/vd${random.pick([...'abcdefgh'])}`)
  return {
    root_device_name: random.once(5) ? null : random.pick(['/dev/vda', '/dev/xvda1', 'vda', '/dev/sda']),
    default_ephemeral_device: random.once(3) ? '/dev/vdb' : null,
    default_swap_device: random.once(3) ? '/dev/vdc' : null,
    block_devices: random.list(0, 6, (): NovaBlockDevice => {
      const source = random.pick(['blank', 'blank', 'image', 'snapshot', 'volume'] as const)
      return {
        source_type: source,
        destination_type: source === 'volume' || random.once(4) ? 'volume' : 'local',
        device_name: deviceName(),
        guest_format: random.pick([null, 'swap', 'ext4']),
        boot_index: random.pick([null, -1, 0]),
        ...(source === 'volume' ? { volume_id: random.uuid() } : {}),
      }
    }),
  }
}

/** By bus. */
const ADDRESSES = {
  pci: (random: Random) => `0000:${random.hex(2)}:1f.${random.integer(0, 7)}`,
  usb: (random: Random) => `${random.integer(0, 3)}:${random.integer(1, 9)}`,
  scsi: (random: Random) => `${random.integer(0, 3)}:0:0:${random.integer(0, 9)}`,
  ide: (random: Random) => `${random.integer(0, 1)}:${random.integer(0, 1)}`,
} as const satisfies Partial<Record<DeviceBus, unknown>>

function device(random: Random): NovaDevice {
  const bus = random.once(5) ? null : random.pick(['pci', 'usb', 'scsi', 'ide'] as const)
  const tags = random.once(3) ? {} : { tags: random.list(1, 3, () => anyText(random, 1, 10)) }
  const common = { bus, address: bus === null ? null : ADDRESSES[bus](random), ...tags }
  if (random.once(2)) {
    const serial = random.once(3) ? {} : { serial: random.uuid() }
    return { ...common, kind: 'disk', ...serial, ...(random.once(2) ? {} : { path: '/dev/disk/by-id/x' }) }
  }
  return {
    ...common,
    kind: 'nic',
    mac: `fa:16:3e${random.hex(6).replace(/../g, ':$&')}`,
    ...(random.once(2) ? { vlan: random.integer(0, 4094) } : {}),
    ...(random.once(2) ? { vf_trusted: random.once(2) } : {}),
  }
}

function pinnedCpus(random: Random): Partial<SeedInstance> {
  if (random.once(2)) return {}
  return { numa_pcpusets: random.list(1, 3, () => random.list(0, 4, () => random.integer(0, 127))) }
}

function securityGroups(random: Random): Partial<SeedInstance> {
  return {
    port_security_groups: random.list(0, 3, () => [
      ...new Set(random.list(0, 3, () => random.pick(SECURITY_GROUPS).id)),
    ]),
  }
}

/** In pieces of 255 characters. */
function password(random: Random): Readonly<Record<string, string>> {
  const text = [...anyText(random, 0, random.pick([10, 300, 600]))]
  const piece = (n: number) => text.slice(255 * n, 255 * (n + 1)).join('')
  return Object.fromEntries([0, 1, 2, 3].map((n) => [`password_${n}`, piece(n)]))
}
