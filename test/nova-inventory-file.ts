import { type Json, writeJson } from '../src/documents/json.ts'
import type {
  Ec2IdsByCase,
  NovaBlockDevice,
  NovaDevice,
  NovaInputs,
  NovaInstance,
  NovaSubnet,
  NovaVif,
} from './nova-inputs.ts'

/** What Nova was told of its instances, as an inventory file (JSON is YAML too). */
export function inventoryFileOf(inputs: NovaInputs, ec2Ids: Ec2IdsByCase): string {
  const { instances } = inputs
  const vifs = instances.flatMap((nova) => nova.network_info.map((vif) => ({ nova, vif })))
  return writeJson({
    projects: unique(instances.map(({ project_id: id }) => ({ id, name: `project ${id}` }))),
    keypairs: unique(instances.flatMap(keypairOf)),
    flavors: unique(instances.map(({ flavor }) => ({ name: flavor.name }))),
    images: unique(instances.flatMap((nova) => imagesOf(nova, ec2Ids[nova.case]))),
    security_groups: inputs.security_groups
      .filter(({ id }) => inputs.ports.some((port) => port.security_groups.includes(id)))
      .map(({ id, name }) => ({ id, name, project: instances[0]?.project_id })),
    networks: [...vifs.map(({ nova, vif }) => networkOf(nova, vif)), ...externalNetworks(instances)],
    ports: vifs.flatMap(({ nova, vif }) => [portOf(nova, vif, inputs), ...dhcpPortsOf(nova, vif)]),
    floating_ips: vifs.flatMap(({ nova, vif }) => floatingIpsOf(nova, vif)),
    servers: instances.map((nova) => serverOf(nova, ec2Ids[nova.case])),
  })
}

type Ec2Ids = Ec2IdsByCase[string]

/** The same record may have been told of several instances. */
function unique(records: readonly Json[]): readonly Json[] {
  return [...new Map(records.map((record) => [writeJson(record), record])).values()]
}

function keypairOf({ keypair, project_id: project }: NovaInstance): Json[] {
  return keypair === null ? [] : [{ project, name: keypair.name, type: keypair.type, public_key: keypair.data }]
}

function imagesOf({ image_ref, kernel_id, ramdisk_id }: NovaInstance, ids: Ec2Ids | undefined): Json[] {
  const image = (id: string, ec2_image_id: string | null | undefined, parts: { [name: string]: Json } = {}): Json[] =>
    id === '' ? [] : [{ id, name: id, ...parts, ...(ec2_image_id ? { ec2_image_id } : {}) }]
  return [
    ...image(kernel_id, ids?.kernel_id),
    ...image(ramdisk_id, ids?.ramdisk_id),
    ...image(image_ref, ids?.ami_id, { kernel_id: kernel_id || null, ramdisk_id: ramdisk_id || null }),
  ]
}

function networkOf({ project_id: project }: NovaInstance, { network }: NovaVif): Json {
  const { mtu } = network.meta
  return {
    id: network.id,
    project,
    name: network.id,
    ...(mtu == null ? {} : { mtu }),
    subnets: network.subnets.map(subnetOf),
  }
}

/** The known DHCP server decides in Nova's cache, not whether DHCP is on. */
function subnetOf(subnet: NovaSubnet): Json {
  return {
    cidr: subnet.cidr,
    gateway_ip: subnet.gateway.address,
    enable_dhcp: subnet.meta.dhcp_server !== undefined,
    dns_nameservers: subnet.dns.map(({ address }) => address),
    host_routes: subnet.routes.map(({ cidr, gateway }) => ({ destination: cidr, nexthop: gateway.address })),
    ipv6_address_mode: subnet.meta.ipv6_address_mode ?? null,
  }
}

function portOf(nova: NovaInstance, vif: NovaVif, inputs: NovaInputs): Json {
  const neutron = inputs.ports.filter((port) => port.device_id === nova.uuid)
  return {
    id: vif.id,
    project: nova.project_id,
    network: vif.network.id,
    mac_address: vif.address,
    fixed_ips: vif.network.subnets.flatMap(({ ips }) => ips.map(({ address }) => ({ ip_address: address }))),
    security_groups: neutron[nova.network_info.indexOf(vif)]?.security_groups ?? [],
    'binding:vif_type': vif.type,
  }
}

function dhcpPortsOf({ project_id: project }: NovaInstance, { network }: NovaVif): Json[] {
  const servers = network.subnets.flatMap(({ meta }) => meta.dhcp_server ?? [])
  if (servers.length === 0) return []
  return [
    {
      project,
      name: `dhcp ${network.id}`,
      network: network.id,
      fixed_ips: servers.map((ip_address) => ({ ip_address })),
      security_groups: [],
      device_id: `dhcp-${network.id}`,
      device_owner: 'network:dhcp',
    },
  ]
}

const EXTERNAL = 'external'

function externalNetworks(instances: readonly NovaInstance[]): Json[] {
  const [first] = instances
  if (first === undefined) return []
  const subnets = unique(
    instances
      .flatMap(({ network_info }) => network_info.flatMap(({ network }) => network.subnets))
      .flatMap(({ ips }) => ips.flatMap(({ floating_ips }) => floating_ips))
      .map(({ address }) => ({ cidr: address.replace(/\d+$/, '0/24'), enable_dhcp: false })),
  )
  return [{ project: first.project_id, name: EXTERNAL, shared: true, 'router:external': true, subnets }]
}

function floatingIpsOf({ project_id: project }: NovaInstance, vif: NovaVif): Json[] {
  return vif.network.subnets.flatMap(({ ips }) =>
    ips.flatMap(({ address, floating_ips }) =>
      floating_ips.map((floating) => ({
        project,
        floating_network: EXTERNAL,
        floating_ip_address: floating.address,
        port: vif.id,
        fixed_ip_address: address,
      })),
    ),
  )
}

function serverOf(nova: NovaInstance, ids: Ec2Ids | undefined): Json {
  return {
    id: nova.uuid,
    project: nova.project_id,
    user_id: nova.user_id,
    name: nova.display_name,
    hostname: nova.hostname,
    flavor: nova.flavor.name,
    image: nova.image_ref || null,
    key_name: nova.key_name,
    ...(nova.key_data === null ? {} : { key_data: nova.key_data }),
    user_data: nova.user_data === null ? null : { base64: nova.user_data },
    metadata: nova.metadata,
    networks: nova.network_info.map(({ id }) => ({ port: id })),
    availability_zone: nova.availability_zone,
    launch_index: nova.launch_index,
    reservation_id: nova.reservation_id,
    ...(ids === undefined ? {} : { ec2_instance_id: ids.instance_id }),
    root_device_name: nova.root_device_name,
    default_ephemeral_device: nova.default_ephemeral_device,
    default_swap_device: nova.default_swap_device,
    block_device_mapping_v2: nova.block_devices.map(blockDeviceOf),
    devices: (nova.device_metadata ?? []).map(deviceOf),
    pinned_cpus: nova.numa_pcpusets ?? [],
    personality: nova.config_drive_only.files.map(([path, base64]) => ({ path, contents: { base64 } })),
    admin_pass: nova.config_drive_only.extra_md.admin_pass ?? null,
    boot_roles: (nova.system_metadata['boot_roles'] ?? '').split(',').filter((role) => role !== ''),
  }
}

function blockDeviceOf(device: NovaBlockDevice): Json {
  const {
    source_type,
    destination_type,
    device_name = null,
    guest_format = null,
    boot_index = null,
    volume_id,
  } = device
  return { source_type, destination_type, device_name, guest_format, boot_index, uuid: volume_id ?? null }
}

function deviceOf({ kind, tags, ...device }: NovaDevice): Json {
  return { type: kind, ...device, tags: tags ?? [] }
}
