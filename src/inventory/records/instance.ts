import type { Cidr, IpAddress, IpVersion, MacAddress } from './address.ts'
import type { InstanceId, NetworkId, PortId, ProjectId } from './ids.ts'
import type { Properties } from './properties.ts'
import type { BlockDevice, Device, InjectedFile, Server } from './server.ts'
import type { Ipv6Mode } from './subnet.ts'

/** One fixed IP of an interface, with the floating IPs that stand for it. */
export interface InterfaceAddress {
  readonly address: IpAddress
  readonly floatingIps: readonly IpAddress[]
}

/** A subnet as an interface sees it. */
export interface InterfaceSubnet {
  readonly ipVersion: IpVersion
  readonly cidr: Cidr
  readonly gateway: IpAddress | null
  readonly dnsServers: readonly IpAddress[]
  readonly routes: readonly { readonly destination: Cidr; readonly gateway: IpAddress }[]
  /** The address of a `network:dhcp` port in this subnet, if there is one. */
  readonly dhcpServer: IpAddress | null
  readonly enableDhcp: boolean
  readonly ipv6AddressMode: Ipv6Mode | null
  readonly addresses: readonly InterfaceAddress[]
}

/** A port of the instance with its network: what Nova calls a VIF. */
export interface InstanceInterface {
  readonly portId: PortId
  readonly macAddress: MacAddress
  readonly vifType: string
  /** `tap7f3a9c10-52`, or null when nobody has named it. */
  readonly deviceName: string | null
  readonly networkId: NetworkId
  readonly mtu: number | null
  /** The network is marked for injection (Nova's `flat_injected`), so that a network template may be rendered. */
  readonly injected: boolean
  readonly subnets: readonly InterfaceSubnet[]
}

/** EC2 style identifiers, already in their text form. */
export interface Ec2Ids {
  readonly instanceId: string
  /** null: booted from a volume; the guest reads the text `None`. */
  readonly imageId: string | null
  /** null: the image has none, and the guest finds no such entry. */
  readonly kernelId: string | null
  readonly ramdiskId: string | null
}

/** A server joined with everything a guest may ever read of it: the one input of all documents.
 *  Instances are immutable: a change of the inventory makes a new one, so an object's identity names its version. */
export interface Instance
  extends Pick<
    Server,
    | 'name'
    | 'hostname'
    | 'keyName'
    | 'keyData'
    | 'keypair'
    | 'userData'
    | 'availabilityZone'
    | 'launchIndex'
    | 'reservationId'
    | 'rootDeviceName'
    | 'defaultEphemeralDevice'
    | 'defaultSwapDevice'
    | 'adminPassword'
    | 'password'
  > {
  readonly id: InstanceId
  readonly projectId: ProjectId
  readonly properties: Properties
  readonly flavorName: string
  /** UUID text, empty when the instance has no image. */
  readonly imageRef: string
  readonly ec2: Ec2Ids
  readonly interfaces: readonly InstanceInterface[]
  /** Names, port by port, so a group on two ports is named twice. */
  readonly securityGroups: readonly string[]
  readonly blockDevices: readonly BlockDevice[]
  readonly devices: readonly Device[]
  readonly pinnedCpus: readonly (readonly number[])[]
  readonly files: readonly InjectedFile[]
  readonly bootRoles: readonly string[]
}
