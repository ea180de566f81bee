import type { Device } from '../../inventory/records/server.ts'
import type { Json } from '../json.ts'
import type { OpenstackVersion } from './versions.ts'

/** `devices`: the virtual hardware the owner tagged. A NIC with nothing to tell is left out, a disk never. */
export function deviceList(devices: readonly Device[], version: OpenstackVersion): readonly Json[] {
  return devices.filter((device) => isShown(device, version)).map((device) => draw(device, version))
}

const VLAN_SINCE = '2017-02-22'
const VF_TRUSTED_SINCE = '2018-08-27'
const SHARES_SINCE = '2025-04-04'

function isShown(device: Device, version: OpenstackVersion): boolean {
  switch (device.type) {
    case 'disk':
      return true
    case 'share':
      return version >= SHARES_SINCE
    case 'nic':
      return device.tags.length > 0 || version >= VF_TRUSTED_SINCE || (version >= VLAN_SINCE && device.vlan !== null)
  }
}

function draw(device: Device, version: OpenstackVersion): Json {
  return { ...own(device, version), ...common(device) }
}

function own(device: Device, version: OpenstackVersion): Readonly<Record<string, Json | undefined>> {
  switch (device.type) {
    case 'disk':
      return { type: 'disk', serial: device.serial ?? undefined, path: device.path ?? undefined }
    case 'share':
      return { type: 'share', share_id: device.shareId, tag: device.tag }
    case 'nic':
      return {
        vlan: version >= VLAN_SINCE ? (device.vlan ?? undefined) : undefined,
        vf_trusted: version >= VF_TRUSTED_SINCE ? device.vfTrusted : undefined,
        type: 'nic',
        mac: device.mac,
      }
  }
}

function common({ bus, address, tags }: Device): Readonly<Record<string, Json | undefined>> {
  return {
    bus: bus ?? 'none',
    address: (bus === null ? null : address) ?? 'none',
    tags: tags.length > 0 ? tags : undefined,
  }
}
