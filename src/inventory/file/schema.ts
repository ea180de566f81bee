import { HYPERVISORS } from '../records/server.ts'
import { content, publicKey } from './content.ts'
import {
  addressOrRange,
  choice,
  cidr,
  ec2Number,
  flag,
  integer,
  ipAddress,
  macAddress,
  projectId,
  properties,
  reference,
  reservationId,
  text,
  uuid,
} from './kinds.ts'
import {
  type Fields,
  type Item,
  type Kind,
  list,
  listAll,
  optional,
  orNull,
  required,
  type Shape,
  shape,
} from './shape.ts'

/** Nova's limit for user data, in characters of base64: 49149 bytes before. */
const USER_DATA_MAX = 65_535
/** Nova's quota of metadata items of one server. */
const METADATA_MAX = 128
const name = text({ min: 1 })
const ipv6Mode = choice('slaac', 'dhcpv6-stateful', 'dhcpv6-stateless')
const owner = optional(
  reference('project'),
  'Who owns it. May be left out when the file has one project, or none (then one named `default` is made).',
)

const hostRoute = shape('route', {
  destination: required(cidr, 'Where it leads.'),
  nexthop: required(ipAddress, 'The next hop.'),
})

const addressPair = shape('address pair', {
  ip_address: required(addressOrRange, 'May be a source address.'),
  mac_address: optional(macAddress, "And with it this MAC address; the port's own when left out."),
})

const fixedIp = shape('fixed IP', {
  subnet: optional(reference('subnet'), 'The subnet to take an address from.'),
  ip_address: optional(ipAddress, 'The address. Without one the lowest free address of the subnet is taken.'),
})

export const projectShape = shape('project', {
  id: optional(projectId, '32 hexadecimal digits. Assigned when left out.'),
  name: required(name, 'Unique.'),
  metadata_tokens: optional(
    choice('off', 'optional', 'required'),
    'Whether its guests may or must ask with a session token (IMDSv2). `off` when left out, as in Nova.',
  ),
})

export const keypairShape = shape('key pair', {
  id: optional(uuid, 'Assigned when left out.'),
  project: owner,
  name: required(name, 'Unique in its project.'),
  type: optional(choice('ssh', 'x509'), '`ssh` when left out.'),
  public_key: required(publicKey, 'One OpenSSH line, or the PEM text of a certificate.'),
})

export const flavorShape = shape('flavor', {
  id: optional(text({ min: 1 }), 'Any text. A UUID is assigned when left out.'),
  name: required(name, 'Unique. Guests read it as `instance-type`.'),
  vcpus: optional(integer(1), '1 when left out.'),
  ram: optional(integer(1), 'MiB; 2048 when left out.'),
  disk: optional(integer(0), 'GiB; 20 when left out.'),
  ephemeral: optional(integer(0), 'GiB; 0 when left out.'),
  swap: optional(integer(0), 'MiB; 0 when left out.'),
})

export const imageShape = shape('image', {
  id: optional(uuid, 'Assigned when left out.'),
  name: required(name, ''),
  kernel_id: optional(orNull(reference('image')), 'The image of its kernel.'),
  ramdisk_id: optional(orNull(reference('image')), 'The image of its ramdisk.'),
  ec2_image_id: optional(ec2Number('ami', 'aki', 'ari'), 'Its EC2 id. The next free number when left out.'),
  properties: optional(properties({ max: METADATA_MAX }), ''),
})

export const securityGroupShape = shape('security group', {
  id: optional(uuid, 'Assigned when left out.'),
  project: owner,
  name: required(name, 'Guests read it in `security-groups`.'),
  description: optional(text(), 'Empty when left out.'),
})

const subnetFields = {
  id: optional(uuid, 'Assigned when left out.'),
  name: optional(name, 'Without a name the subnet is known by its range.'),
  cidr: required(cidr, 'The range; host bits are cleared. May not overlap another subnet of the network.'),
  ip_version: optional(integer(4, 6), 'Follows from the range; checked when given.'),
  gateway_ip: optional(
    orNull(ipAddress),
    'Null for none. When left out: the first address (IPv4), the network address itself (IPv6), as Neutron does.',
  ),
  allocation_pools: optional(
    list(
      shape('allocation pool', {
        start: required(ipAddress, 'The first address.'),
        end: required(ipAddress, 'The last address.'),
      }),
    ),
    'What addresses are assigned from. Everything but network, gateway and broadcast address when left out.',
  ),
  enable_dhcp: optional(flag, 'True when left out. The network gets a DHCP port with an address in the subnet.'),
  dns_nameservers: optional(list(ipAddress, { max: 5 }), ''),
  host_routes: optional(list(hostRoute, { max: 20 }), 'Further routes that DHCP hands out.'),
  ipv6_address_mode: optional(orNull(ipv6Mode), 'How guests get an address. IPv6 only.'),
  ipv6_ra_mode: optional(
    orNull(ipv6Mode),
    'What router advertisements say. IPv6 only; equal to the address mode if both are set.',
  ),
  advanced_service_providers: optional(
    list(text({ min: 1 })),
    'The metadata providers (`X-Metadata-Provider`) that may ask for guests of its network. None when left out.',
  ),
} as const

const nestedSubnetShape = shape('subnet', subnetFields)

export const subnetShape = shape('subnet', {
  network: required(reference('network'), 'The network it is on.'),
  ...subnetFields,
})

export const networkShape = shape('network', {
  id: optional(uuid, 'Assigned when left out.'),
  project: owner,
  name: required(name, 'Unique in its project.'),
  admin_state_up: optional(flag, 'True when left out.'),
  mtu: optional(integer(68, 65_535), 'Bytes; 1500 when left out. At least 1280 with an IPv6 subnet.'),
  shared: optional(flag, 'Other projects may use it. False when left out.'),
  'router:external': optional(flag, 'Floating IPs come from here. False when left out.'),
  subnets: optional(listAll(nestedSubnetShape), 'Its subnets: here, or in the list `subnets` at the top.'),
})

/** A router's way into a subnet: the subnet's name, or a mapping. */
const interfaceShape = shape('router interface', {
  subnet: optional(reference('subnet'), 'The interface gets the gateway address of this subnet.'),
  port: optional(reference('port'), 'The interface is this port, with the addresses it has.'),
})

const routerInterface: Kind<Item<typeof interfaceShape.fields>> = {
  of: interfaceShape,
  name: 'name or id of a subnet, `{subnet: ...}` or `{port: ...}`',
  read: (value, path, reading) =>
    typeof value === 'string' ? { subnet: value, at: path, broken: false } : interfaceShape.read(value, path, reading),
}

export const routerShape = shape('router', {
  id: optional(uuid, 'Assigned when left out.'),
  project: owner,
  name: required(name, 'Unique in its project.'),
  admin_state_up: optional(flag, 'True when left out.'),
  external_gateway_info: optional(
    orNull(
      shape('external gateway', {
        network: required(reference('network'), 'A network with `router:external`.'),
        enable_snat: optional(flag, 'True when left out.'),
        external_fixed_ips: optional(list(fixedIp), 'Addresses there. One is assigned when left out.'),
      }),
    ),
    'The way out. None when left out.',
  ),
  interfaces: optional(list(routerInterface), 'The subnets it joins. Their ranges may not overlap.'),
  routes: optional(list(hostRoute), 'Each next hop is on a subnet of the router.'),
})

export const portShape = shape('port', {
  id: optional(uuid, 'Assigned when left out.'),
  project: optional(reference('project'), "The network's when left out."),
  name: optional(name, 'Needed when there is no id. Unique in its project.'),
  network: required(reference('network'), ''),
  mac_address: optional(macAddress, 'Unique on its network. `fa:16:3e:...` is assigned when left out.'),
  admin_state_up: optional(flag, 'True when left out.'),
  fixed_ips: optional(list(fixedIp), 'One address of each family when left out; none for an empty list.'),
  security_groups: optional(list(reference('security group')), "The project's group `default` when left out."),
  device_id: optional(text(), 'What it belongs to. Set by the server or router that names the port.'),
  device_owner: optional(text(), 'What sort of thing it belongs to. Set like `device_id`.'),
  port_security_enabled: optional(
    flag,
    'Its guest can send as nobody else ([port security](port-security.md)). True when left out, but for ports of DHCP and routers.',
  ),
  allowed_address_pairs: optional(list(addressPair), 'What it may send as besides its own addresses.'),
  'binding:vnic_type': optional(text({ min: 1 }), '`normal` when left out.'),
  'binding:vif_type': optional(text({ min: 1 }), '`bridge` when it belongs to something, else `unbound`.'),
})

export const floatingIpShape = shape('floating IP', {
  id: optional(uuid, 'Assigned when left out.'),
  project: optional(reference('project'), "The port's when left out."),
  floating_network: required(reference('network'), 'A network with `router:external`.'),
  floating_ip_address: optional(ipAddress, 'The lowest free address of that network when left out.'),
  port: optional(reference('port'), 'The port it stands for.'),
  server: optional(
    reference('server'),
    'In place of `port`: the first interface of this server that has an IPv4 address.',
  ),
  fixed_ip_address: optional(ipAddress, "Which of the port's addresses; its first IPv4 address when left out."),
})

const serverNetworkShape = shape('server network', {
  network: optional(reference('network'), 'A port is made on this network.'),
  port: optional(reference('port'), 'In place of `network`: a port of the list `ports`.'),
  fixed_ip: optional(ipAddress, 'Its address. The lowest free one when left out.'),
  fixed_ips: optional(list(fixedIp), 'In place of `fixed_ip`: several.'),
  mac_address: optional(macAddress, '`fa:16:3e:...` is assigned when left out.'),
  tag: optional(text({ min: 1, max: 60 }), 'Shown in `devices` of meta_data.json.'),
})

const blockDeviceShape = shape('block device', {
  device_name: optional(orNull(text({ min: 1 })), '`/dev/vdb`. Null when left out.'),
  source_type: required(choice('blank', 'image', 'snapshot', 'volume'), ''),
  destination_type: optional(choice('local', 'volume'), '`volume` for source `volume`, else `local`.'),
  guest_format: optional(orNull(text({ min: 1 })), '`swap`, or a file system.'),
  boot_index: optional(orNull(integer(-1)), 'Null when left out.'),
  uuid: optional(orNull(uuid), 'The volume.'),
  tag: optional(text({ min: 1, max: 60 }), 'Shown in `devices` of meta_data.json.'),
})

const deviceShape = shape('device', {
  type: required(choice('nic', 'disk', 'share'), ''),
  bus: optional(orNull(choice('pci', 'usb', 'scsi', 'ide', 'xen')), 'Null when left out.'),
  address: optional(orNull(text({ min: 1 })), '`0000:00:03.0`, `1:0`, ...'),
  tags: optional(list(text({ min: 1, max: 60 })), ''),
  mac: optional(macAddress, 'Of a `nic`, which needs it.'),
  vlan: optional(orNull(integer(0, 4095)), 'Of a `nic`.'),
  vf_trusted: optional(flag, 'Of a `nic`; false when left out.'),
  serial: optional(orNull(text()), 'Of a `disk`.'),
  path: optional(orNull(text()), 'Of a `disk`.'),
  share_id: optional(text({ min: 1 }), 'Of a `share`, which needs it.'),
  tag: optional(text({ min: 1 }), 'Of a `share`, which needs it.'),
})

export const serverShape = shape('server', {
  id: optional(uuid, 'Assigned when left out.'),
  project: owner,
  user_id: optional(text(), 'Empty when left out.'),
  name: required(name, 'The display name: any Unicode. Unique in its project.'),
  hostname: optional(
    text({ min: 1 }),
    "Without the domain. Made of the name by Nova's rule when the server is created, and kept from then on.",
  ),
  flavor: optional(
    reference('flavor'),
    'May be left out when the file has one flavor, or none (then `m1.small` is made).',
  ),
  image: optional(
    orNull(reference('image')),
    'Null: booted from a volume. May be left out when the file has one image, or none (then one named `default` is made).',
  ),
  key_name: optional(
    orNull(reference('key pair')),
    'The key is copied when the server gets this key name, and kept then.',
  ),
  key_data: optional(publicKey, 'The key itself, in place of a copy: also when the key pair is gone.'),
  user_data: optional(
    orNull(content(USER_DATA_MAX)),
    'Byte exact. Unset when left out or null; empty text is set and empty.',
  ),
  metadata: optional(properties({ max: METADATA_MAX }), 'Shown as `meta` in meta_data.json, in this order.'),
  networks: optional(
    list(serverNetworkShape),
    "Its interfaces, in the guest's order. When left out: the project's only network, if it has just one.",
  ),
  security_groups: optional(list(reference('security group')), 'For the ports made here. `default` when left out.'),
  availability_zone: optional(orNull(text({ min: 1 })), '`nova` when left out.'),
  launch_index: optional(integer(0), '0 when left out.'),
  reservation_id: optional(reservationId, 'Assigned when left out.'),
  ec2_instance_id: optional(ec2Number('i'), 'Its EC2 id. The next free number when left out.'),
  config_drive: optional(flag, 'False when left out.'),
  admin_pass: optional(orNull(text()), 'Shown on a config drive only.'),
  password: optional(text(), 'What the guest posted to its password resource. Kept when left out.'),
  personality: optional(
    list(
      shape('file', {
        path: required(text({ min: 1 }), 'Where the guest shall put it.'),
        contents: required(content(USER_DATA_MAX), 'Byte exact.'),
      }),
    ),
    'Files, on a config drive only.',
  ),
  root_device_name: optional(orNull(text({ min: 1 })), '`/dev/vda` when left out.'),
  default_ephemeral_device: optional(orNull(text({ min: 1 })), 'Null when left out.'),
  default_swap_device: optional(orNull(text({ min: 1 })), 'Null when left out.'),
  block_device_mapping_v2: optional(list(blockDeviceShape), 'In the order Nova records them.'),
  devices: optional(list(deviceShape), 'Hardware for `devices` of meta_data.json, after what tags ask for.'),
  pinned_cpus: optional(list(list(integer(0, 65_535))), 'One list for each NUMA cell.'),
  boot_roles: optional(list(text({ min: 1 })), 'Role names of the creating user, for dynamic vendor data.'),
  hypervisor: optional(
    choice(...HYPERVISORS),
    '`external` when left out: somebody else runs it. firstboot runs it as a network namespace (`namespace`) or as a virtual machine (`qemu`, `libvirt`), whose image says by the property `direct_url` (`file:///...`) where it lies.',
  ),
})

/** The file as a whole. */
export const inventoryShape = shape('inventory file', {
  projects: optional(listAll(projectShape), 'Who owns things.'),
  keypairs: optional(listAll(keypairShape), 'Public keys by name.'),
  flavors: optional(listAll(flavorShape), 'Sizes.'),
  images: optional(listAll(imageShape), 'What servers boot from; kernels and ramdisks too.'),
  security_groups: optional(listAll(securityGroupShape), 'Names only: firstboot does not filter traffic.'),
  networks: optional(listAll(networkShape), 'Layer-2 domains. Ranges of different networks may be equal.'),
  subnets: optional(listAll(subnetShape), 'Subnets that are not written inside their network.'),
  routers: optional(listAll(routerShape), 'Joins of subnets.'),
  ports: optional(listAll(portShape), 'Ports with a name or id of their own. Servers, routers and DHCP make theirs.'),
  floating_ips: optional(listAll(floatingIpShape), 'External addresses of ports.'),
  servers: optional(listAll(serverShape), 'The instances.'),
})

type Of<S> = S extends Shape<infer F extends Fields> ? Item<F> : never
export type ProjectItem = Of<typeof projectShape>
export type KeypairItem = Of<typeof keypairShape>
export type FlavorItem = Of<typeof flavorShape>
export type ImageItem = Of<typeof imageShape>
export type SecurityGroupItem = Of<typeof securityGroupShape>
export type NetworkItem = Of<typeof networkShape>
export type NestedSubnetItem = Of<typeof nestedSubnetShape>
export type SubnetItem = Of<typeof subnetShape>
export type FixedIpItem = Of<typeof fixedIp>
export type RouterItem = Of<typeof routerShape>
export type PortItem = Of<typeof portShape>
export type FloatingIpItem = Of<typeof floatingIpShape>
export type ServerNetworkItem = Of<typeof serverNetworkShape>
export type BlockDeviceItem = Of<typeof blockDeviceShape>
export type DeviceItem = Of<typeof deviceShape>
export type ServerItem = Of<typeof serverShape>
/** What the file says, in its own terms: references are still names. */
export type InventoryDocument = Of<typeof inventoryShape>
