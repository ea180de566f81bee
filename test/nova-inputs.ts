import type { Json } from '../src/documents/json.ts'
import { readJson } from '../src/documents/json-reader.ts'
import { parseCidr, parseIpAddress, parseMacAddress } from '../src/inventory/records/address.ts'
import type { InstanceId, NetworkId, PortId, ProjectId } from '../src/inventory/records/ids.ts'
import type { Instance, InstanceInterface, InterfaceSubnet } from '../src/inventory/records/instance.ts'
import type { BlockDevice, Device, DeviceBus } from '../src/inventory/records/server.ts'
import type { Ipv6Mode } from '../src/inventory/records/subnet.ts'

/** What a real Nova was told of its instances (inputs.json), in Nova's own terms, and the same as our records. */
export interface NovaInstance {
  readonly case: string
  readonly uuid: string
  readonly project_id: string
  readonly user_id: string
  readonly display_name: string
  readonly hostname: string
  readonly reservation_id: string
  readonly launch_index: number
  readonly availability_zone: string | null
  /** The three are empty text without. */
  readonly image_ref: string
  readonly kernel_id: string
  readonly ramdisk_id: string
  readonly key_name: string | null
  readonly key_data: string | null
  readonly keypair: Instance['keypair']
  readonly flavor: { readonly name: string }
  readonly root_device_name: string | null
  readonly default_ephemeral_device: string | null
  readonly default_swap_device: string | null
  readonly block_devices: readonly NovaBlockDevice[]
  readonly user_data: string | null
  /** In the order they were stored: names that look like integers too. */
  readonly metadata: ReadonlyMap<string, string>
  readonly system_metadata: Readonly<Record<string, string>>
  readonly device_metadata: readonly NovaDevice[] | null
  readonly numa_pcpusets: readonly (readonly number[])[] | null
  readonly network_info: readonly NovaVif[]
  readonly config_drive_only: {
    readonly files: readonly [string, string][]
    readonly extra_md: { admin_pass?: string }
  }
}

export interface NovaBlockDevice {
  readonly source_type: BlockDevice['sourceType']
  readonly destination_type: BlockDevice['destinationType']
  readonly device_name?: string | null
  readonly guest_format?: string | null
  readonly boot_index?: number | null
  readonly volume_id?: string
}

export interface NovaDevice {
  readonly kind: 'nic' | 'disk'
  readonly bus: DeviceBus | null
  readonly address: string | null
  readonly tags?: readonly string[] | null
  readonly mac?: string
  readonly vlan?: number | null
  readonly vf_trusted?: boolean | null
  readonly serial?: string | null
  readonly path?: string | null
}

export interface NovaVif {
  readonly id: string
  readonly address: string
  readonly type: string
  readonly devname: string | null
  readonly network: {
    readonly id: string
    readonly subnets: readonly NovaSubnet[]
    readonly meta: { readonly injected: boolean; readonly mtu?: number | null }
  }
}

export interface NovaSubnet {
  readonly cidr: string
  readonly version: 4 | 6
  readonly gateway: { readonly address: string | null }
  readonly dns: readonly { readonly address: string }[]
  readonly ips: readonly { readonly address: string; readonly floating_ips: readonly { readonly address: string }[] }[]
  readonly routes: readonly { readonly cidr: string; readonly gateway: { readonly address: string } }[]
  readonly meta: {
    readonly dhcp_server?: string
    readonly enable_dhcp?: boolean
    readonly ipv6_address_mode?: Ipv6Mode
  }
}

export interface NovaPort {
  readonly device_id: string
  readonly security_groups: readonly string[]
}

export interface NovaInputs {
  readonly shared_secret: string
  readonly dhcp_domain: string
  readonly vendordata_static: Json
  readonly security_groups: readonly { readonly id: string; readonly name: string }[]
  readonly ports: readonly NovaPort[]
  readonly instances: readonly NovaInstance[]
}

/** The row numbers a Nova gave, by case: nothing derives them. */
export type Ec2IdsByCase = Readonly<
  Record<string, { instance_id: string; ami_id: string | null; kernel_id: string | null; ramdisk_id: string | null }>
>

/** Reads inputs.json. What JSON.parse loses and guests would see, the order of names, is kept where it counts. */
export function readInputs(text: string): NovaInputs {
  const ordered = readJson(text)
  const inputs = JSON.parse(text) as NovaInputs
  const instances = member(ordered, 'instances') as readonly Json[]
  return {
    ...inputs,
    vendordata_static: member(ordered, 'vendordata_static'),
    instances: inputs.instances.map((nova, n) => ({
      ...nova,
      metadata: member(instances[n], 'metadata') as ReadonlyMap<string, string>,
    })),
  }
}

function member(value: Json | undefined, name: string): Json {
  const found = value instanceof Map ? (value.get(name) as Json | undefined) : undefined
  if (found === undefined) throw new Error(`inputs.json has no ${name}`)
  return found
}

/** By case name. */
export function instancesOf(inputs: NovaInputs, ec2Ids: Ec2IdsByCase): ReadonlyMap<string, Instance> {
  return new Map(inputs.instances.map((nova) => [nova.case, toInstance(nova, inputs, ec2Ids)]))
}

function toInstance(nova: NovaInstance, inputs: NovaInputs, ec2Ids: Ec2IdsByCase): Instance {
  const ids = ec2Ids[nova.case]
  if (!ids) throw new Error(`Nova has no EC2 ids for ${nova.case}`)
  return {
    id: nova.uuid as InstanceId,
    projectId: nova.project_id as ProjectId,
    name: nova.display_name,
    hostname: nova.hostname,
    keyName: nova.key_name,
    keyData: nova.key_data,
    keypair: nova.keypair,
    userData: nova.user_data,
    availabilityZone: nova.availability_zone,
    launchIndex: nova.launch_index,
    reservationId: nova.reservation_id,
    rootDeviceName: nova.root_device_name,
    defaultEphemeralDevice: nova.default_ephemeral_device,
    defaultSwapDevice: nova.default_swap_device,
    adminPassword: nova.config_drive_only.extra_md.admin_pass ?? null,
    password: [0, 1, 2, 3].map((n) => nova.system_metadata[`password_${n}`] ?? '').join(''),
    properties: [...nova.metadata],
    flavorName: nova.flavor.name,
    imageRef: nova.image_ref,
    ec2: { instanceId: ids.instance_id, imageId: ids.ami_id, kernelId: ids.kernel_id, ramdiskId: ids.ramdisk_id },
    interfaces: nova.network_info.map(toInterface),
    securityGroups: inputs.ports
      .filter((port) => port.device_id === nova.uuid)
      .flatMap((port) => port.security_groups)
      .map((id) => inputs.security_groups.find((group) => group.id === id)?.name || id),
    blockDevices: nova.block_devices.map(toBlockDevice),
    devices: (nova.device_metadata ?? []).map(toDevice),
    pinnedCpus: nova.numa_pcpusets ?? [],
    files: nova.config_drive_only.files.map(([path, contents]) => ({ path, contents })),
    bootRoles: (nova.system_metadata['boot_roles'] ?? '').split(',').filter((role) => role !== ''),
  }
}

function toInterface(vif: NovaVif): InstanceInterface {
  return {
    portId: vif.id as PortId,
    macAddress: some(parseMacAddress(vif.address)),
    vifType: vif.type,
    deviceName: vif.devname,
    networkId: vif.network.id as NetworkId,
    mtu: vif.network.meta.mtu ?? null,
    injected: vif.network.meta.injected,
    subnets: vif.network.subnets.map(toSubnet),
  }
}

/** Nova's cache already says which server counts, the gateway of Zed's fallback included: without one, DHCP is off. */
function toSubnet(subnet: NovaSubnet): InterfaceSubnet {
  return {
    ipVersion: subnet.version,
    cidr: some(parseCidr(subnet.cidr)),
    gateway: subnet.gateway.address === null ? null : address(subnet.gateway.address),
    dnsServers: subnet.dns.map((server) => address(server.address)),
    routes: subnet.routes.map((route) => ({
      destination: some(parseCidr(route.cidr)),
      gateway: address(route.gateway.address),
    })),
    dhcpServer: subnet.meta.dhcp_server === undefined ? null : address(subnet.meta.dhcp_server),
    enableDhcp: subnet.meta.dhcp_server !== undefined,
    ipv6AddressMode: subnet.meta.ipv6_address_mode ?? null,
    addresses: subnet.ips.map((ip) => ({
      address: address(ip.address),
      floatingIps: ip.floating_ips.map((floating) => address(floating.address)),
    })),
  }
}

function toBlockDevice(device: NovaBlockDevice): BlockDevice {
  return {
    deviceName: device.device_name ?? null,
    sourceType: device.source_type,
    destinationType: device.destination_type,
    guestFormat: device.guest_format ?? null,
    bootIndex: device.boot_index ?? null,
    volumeId: device.volume_id ?? null,
  }
}

function toDevice({ kind, bus, address, tags, ...device }: NovaDevice): Device {
  const common = { bus, address, tags: tags ?? [] }
  return kind === 'disk'
    ? { ...common, type: 'disk', serial: device.serial ?? null, path: device.path ?? null }
    : {
        ...common,
        type: 'nic',
        mac: some(parseMacAddress(device.mac ?? '')),
        vlan: device.vlan ?? null,
        vfTrusted: device.vf_trusted ?? false,
      }
}

function address(text: string) {
  return some(parseIpAddress(text))
}

function some<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the inputs hold a malformed address')
  return value
}
