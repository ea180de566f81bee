import type { MacAddress } from './address.ts'
import type { FlavorId, ImageId, InstanceId, PortId, ProjectId } from './ids.ts'
import type { Properties } from './properties.ts'

/** Who runs the instance. `external`: somebody else (another host, bare metal); firstboot only tells it who it is. */
export const HYPERVISORS = ['external', 'namespace', 'qemu', 'libvirt'] as const
export type HypervisorKind = (typeof HYPERVISORS)[number]

/** A block device as Nova records it (block_device_mapping_v2). */
export interface BlockDevice {
  /** `/dev/vdb`, or null when the hypervisor is to choose. */
  readonly deviceName: string | null
  readonly sourceType: 'blank' | 'image' | 'snapshot' | 'volume'
  readonly destinationType: 'local' | 'volume'
  /** `swap`, a file system name, or null. */
  readonly guestFormat: string | null
  readonly bootIndex: number | null
  readonly volumeId: string | null
}

export type DeviceBus = 'pci' | 'usb' | 'scsi' | 'ide' | 'xen'

interface DeviceCommon {
  /** null: no bus recorded; bus and address are then shown as the text `none`. */
  readonly bus: DeviceBus | null
  /** `0000:00:03.0`, `1:0`, ... */
  readonly address: string | null
  readonly tags: readonly string[]
}

/** What `devices` of meta_data.json tells about one piece of virtual hardware. */
export type Device =
  | (DeviceCommon & {
      readonly type: 'nic'
      readonly mac: MacAddress
      /** Shown from 2017-02-22 on, for SR-IOV ports. */
      readonly vlan: number | null
      readonly vfTrusted: boolean
    })
  | (DeviceCommon & { readonly type: 'disk'; readonly serial: string | null; readonly path: string | null })
  | (DeviceCommon & { readonly type: 'share'; readonly shareId: string; readonly tag: string })

/** A file given at creation (`personality`); it travels on the config drive only. */
export interface InjectedFile {
  readonly path: string
  /** base64 */
  readonly contents: string
}

/** An instance as its owner created it. References are by id; what a guest reads of them is joined in `instance.ts`. */
export interface Server {
  readonly id: InstanceId
  readonly projectId: ProjectId
  readonly userId: string
  /** The display name: any Unicode. */
  readonly name: string
  /** Without the domain; fixed at creation, a later change of the name does not change it. */
  readonly hostname: string
  readonly flavorId: FlavorId
  /** null: booted from a volume. */
  readonly imageId: ImageId | null
  /** Name and text of the key as copied at creation: what the EC2 tree shows. */
  readonly keyName: string | null
  readonly keyData: string | null
  /** The key pair as copied at creation, for `public_keys` and `keys`; null when it is gone. */
  readonly keypair: { readonly name: string; readonly type: 'ssh' | 'x509'; readonly data: string } | null
  /** base64 of the bytes the guest gets; null is unset, empty text is set and empty. */
  readonly userData: string | null
  /** `metadata` of the API, `meta` in meta_data.json. */
  readonly properties: Properties
  readonly availabilityZone: string | null
  readonly launchIndex: number
  /** `r-` and 8 characters; servers created by one request share it. */
  readonly reservationId: string
  /** Row number behind the EC2 `i-%08x`: assigned once, stable for the server's life (cloud-init keys on it). */
  readonly ec2Number: number
  /** Its interfaces, in the guest's order. */
  readonly portIds: readonly PortId[]
  readonly rootDeviceName: string | null
  readonly defaultEphemeralDevice: string | null
  readonly defaultSwapDevice: string | null
  readonly blockDevices: readonly BlockDevice[]
  readonly devices: readonly Device[]
  /** Pinned CPUs, one list for each NUMA cell. */
  readonly pinnedCpus: readonly (readonly number[])[]
  readonly configDrive: boolean
  readonly adminPassword: string | null
  readonly files: readonly InjectedFile[]
  /** Role names of the creating user, for dynamic vendor data. */
  readonly bootRoles: readonly string[]
  /** What the guest posted to its password resource; empty text: nothing yet. */
  readonly password: string
  readonly hypervisor: HypervisorKind
}
