import type { MacAddress } from '../../records/address.ts'
import type { InstanceId, PortId, ProjectId } from '../../records/ids.ts'
import type { BlockDevice, Device, Server } from '../../records/server.ts'
import { hostnameOf } from '../hostname.ts'
import type { BlockDeviceItem, DeviceItem, ServerItem } from '../schema.ts'
import type { Bindings } from './bindings.ts'
import type { Contents } from './contents.ts'
import { DEFAULT_ZONE, type Interfaces, planInterfaces, refuseAddresses } from './interfaces.ts'
import { ec2Numbers, ownerOf } from './owned-nouns.ts'
import { type Planning, soundItems } from './planning.ts'
import type { AddressRequest } from './settle.ts'

/** A server whose ports are being settled: what their MACs are is known when `finish` is called. */
export interface PendingServer {
  readonly requests: readonly AddressRequest[]
  finish(): void
}

/** What is said of every server of the file; each becomes a record when its ports are settled. */
export function planServers(contents: Contents, bindings: Bindings, planning: Planning): readonly PendingServer[] {
  const numbers = ec2Numbers('server', contents.server, planning)
  const sound = new Map(soundItems(planning, 'server', contents.server))
  for (const item of contents.server) if (!sound.has(item)) refuseAddresses(item, planning)
  return [...sound].map(([item, id]) => {
    const interfaces = planInterfaces(item, id, bindings, planning)
    const server = serverOf(item, id, interfaces, () => numbers.next(), contents, planning)
    return {
      requests: interfaces.requests,
      finish() {
        if (server === undefined) return
        const devices = devicesOf(item, interfaces, planning)
        if (devices !== undefined) planning.draft.server.set(id, { ...server, devices })
      },
    }
  })
}

/** The record but for its devices, or undefined after reporting what is wrong. */
function serverOf(
  item: ServerItem,
  id: InstanceId,
  { portIds }: Interfaces,
  nextNumber: () => number,
  contents: Contents,
  planning: Planning,
): Omit<Server, 'devices'> | undefined {
  const former = planning.existing.server.get(id)
  const projectId = ownerOf('server', id, planning)
  const flavorId = chooseOnly('flavor', item.flavor, item, contents, planning)
  const imageId = item.image === null ? null : chooseOnly('image', item.image, item, contents, planning)
  const key = keyOf(item, projectId, former, planning)
  if (flavorId === undefined || imageId === undefined || key === undefined) return undefined
  return {
    id,
    projectId,
    userId: item.user_id ?? '',
    name: item.name,
    hostname: item.hostname ?? former?.hostname ?? hostnameOf(item.name, id),
    flavorId,
    imageId,
    ...key,
    userData: item.user_data ?? null,
    properties: item.metadata ?? [],
    availabilityZone: item.availability_zone === undefined ? DEFAULT_ZONE : item.availability_zone,
    launchIndex: item.launch_index ?? 0,
    reservationId: item.reservation_id ?? former?.reservationId ?? planning.generate.reservationId(),
    ec2Number: item.ec2_instance_id ?? former?.ec2Number ?? nextNumber(),
    portIds,
    rootDeviceName: item.root_device_name === undefined ? '/dev/vda' : item.root_device_name,
    defaultEphemeralDevice: item.default_ephemeral_device ?? null,
    defaultSwapDevice: item.default_swap_device ?? null,
    blockDevices: item.block_device_mapping_v2?.map(blockDeviceOf) ?? [],
    pinnedCpus: item.pinned_cpus ?? [],
    configDrive: item.config_drive ?? false,
    adminPassword: item.admin_pass ?? null,
    files: item.personality?.map(({ path, contents }) => ({ path, contents })) ?? [],
    bootRoles: item.boot_roles ?? [],
    password: item.password ?? former?.password ?? '',
    hypervisor: item.hypervisor ?? 'external',
  }
}

/** The flavor or image a server names, or the only one it can mean. Kernels and ramdisks are nobody's image. */
function chooseOnly<N extends 'flavor' | 'image'>(
  noun: N,
  reference: string | undefined,
  item: ServerItem,
  contents: Contents,
  planning: Planning,
) {
  if (reference !== undefined) return planning.resolve(noun, reference, [...item.at, noun])
  const parts = new Set(
    contents.image.flatMap(({ kernel_id, ramdisk_id }) => [kernel_id, ramdisk_id].filter((part) => part != null)),
  )
  const choices = contents[noun].filter(
    ({ id, name }) => noun === 'flavor' || !(parts.has(name) || parts.has(id ?? '')),
  )
  const [only, ...others] = choices
  if (only !== undefined && others.length === 0) return planning.idOf(noun, only)
  const names = choices.map(({ name }) => name).join(', ')
  planning.report(item.at, `names no ${noun}, and the file has several; add "${noun}:" and one of ${names}`)
  return undefined
}

type Key = Pick<Server, 'keyName' | 'keyData' | 'keypair'>

/** The key as Nova copies it: when the server gets it, not when the key pair changes later. */
function keyOf(
  item: ServerItem,
  projectId: ProjectId,
  former: Server | undefined,
  planning: Planning,
): Key | undefined {
  const { key_name: keyName = null, key_data: keyData, at } = item
  if (keyName === null) {
    if (keyData === undefined) return { keyName: null, keyData: null, keypair: null }
    planning.report([...at, 'key_data'], 'needs a key_name beside it')
    return undefined
  }
  const found = planning.directory.find('keypair', keyName, projectId)
  const pair = 'id' in found ? planning.draft.keypair.get(found.id) : undefined
  if (keyData !== undefined) {
    const keypair = pair === undefined ? null : { name: pair.name, type: pair.type, data: keyData }
    return { keyName, keyData, keypair }
  }
  if (former?.keyName === (pair?.name ?? keyName) && former.keyData !== null) {
    if (pair !== undefined && pair.publicKey !== former.keyData) {
      planning.notes.push(
        `server ${item.name} keeps the key ${keyName} as it was when the server was created; "key_data:" gives it another`,
      )
    }
    return { keyName: former.keyName, keyData: former.keyData, keypair: former.keypair }
  }
  if ('problem' in found) {
    planning.report([...at, 'key_name'], `${found.problem}; list it under keypairs, or give key_data`)
    return undefined
  }
  if (pair === undefined) return undefined
  return {
    keyName: pair.name,
    keyData: pair.publicKey,
    keypair: { name: pair.name, type: pair.type, data: pair.publicKey },
  }
}

function blockDeviceOf(item: BlockDeviceItem): BlockDevice {
  return {
    deviceName: item.device_name ?? null,
    sourceType: item.source_type,
    destinationType: item.destination_type ?? (item.source_type === 'volume' ? 'volume' : 'local'),
    guestFormat: item.guest_format ?? null,
    bootIndex: item.boot_index ?? null,
    volumeId: item.uuid ?? null,
  }
}

/** Tagged interfaces and disks first, as their tags ask for; then the devices that are listed. An interface that is
 *  listed is not made up a second time. */
function devicesOf(item: ServerItem, { tags }: Interfaces, planning: Planning): readonly Device[] | undefined {
  const listed = (item.devices ?? []).map((device) => deviceOf(device, planning))
  const devices = listed.filter((device) => device !== undefined)
  if (devices.length < listed.length) return undefined
  const macs = new Set(devices.map((device) => (device.type === 'nic' ? device.mac : undefined)))
  const nics = Array.from(tags, ([port, tag]) => taggedNic(planning.draft.port.get(port as PortId)?.macAddress, tag))
  const disks = (item.block_device_mapping_v2 ?? []).flatMap(({ tag, uuid = null }): Device[] =>
    tag === undefined ? [] : [{ ...untagged, type: 'disk', tags: [tag], serial: uuid, path: null }],
  )
  return [...nics.flat().filter((nic) => !('mac' in nic && macs.has(nic.mac))), ...disks, ...devices]
}

const untagged = { bus: null, address: null } as const

function taggedNic(mac: MacAddress | undefined, tag: string): readonly Device[] {
  return mac === undefined ? [] : [{ ...untagged, type: 'nic', mac, tags: [tag], vlan: null, vfTrusted: false }]
}

function deviceOf(item: DeviceItem, planning: Planning): Device | undefined {
  const common = { bus: item.bus ?? null, address: item.address ?? null, tags: item.tags ?? [] }
  if (item.type === 'disk') return { ...common, type: 'disk', serial: item.serial ?? null, path: item.path ?? null }
  if (item.type === 'nic' && item.mac !== undefined) {
    return { ...common, type: 'nic', mac: item.mac, vlan: item.vlan ?? null, vfTrusted: item.vf_trusted ?? false }
  }
  if (item.type === 'share' && item.share_id !== undefined && item.tag !== undefined) {
    return { ...common, type: 'share', shareId: item.share_id, tag: item.tag }
  }
  planning.report(item.at, item.type === 'nic' ? 'needs the mac of the nic' : 'needs share_id and tag')
  return undefined
}
