import type { Instance } from '../../inventory/records/instance.ts'
import { Directory } from '../directory.ts'

/** `block-device-mapping`: what the hypervisor called the disks. Values keep their `/dev/` but for `ami`. */
export function blockDeviceMapping(instance: Instance): Directory {
  return Directory.of(instance.rootDeviceName === null ? UNKNOWN_ROOT : mapping(instance, instance.rootDeviceName))
}

/** Without a root device name nothing else counts, whatever block devices are recorded. */
const UNKNOWN_ROOT = new Map([
  ['ami', 'sda1'],
  ['ephemeral0', 'sda2'],
  ['root', '/dev/sda1'],
  ['swap', 'sda3'],
])

function mapping(instance: Instance, root: string): ReadonlyMap<string, string | null> {
  const volumes = instance.blockDevices.filter((device) => device.destinationType === 'volume')
  const blanks = instance.blockDevices.filter(
    (device) => device.destinationType !== 'volume' && device.sourceType === 'blank',
  )
  const swap = blanks.findLast((device) => device.guestFormat === 'swap')

  const names = new Map<string, string | null>([
    ['ami', root.replace(/^\/dev\//, '')],
    ['root', root],
  ])
  if (instance.defaultEphemeralDevice) names.set('ephemeral0', instance.defaultEphemeralDevice)
  if (instance.defaultSwapDevice) names.set('swap', instance.defaultSwapDevice)
  const volumeNames = volumes.map((device) => device.deviceName).sort(namelessFirst)
  for (const [n, name] of volumeNames.entries()) names.set(`ebs${n}`, name)
  if (swap) names.set('swap', swap.deviceName)
  const ephemerals = blanks.filter((device) => device.guestFormat !== 'swap')
  for (const [n, device] of ephemerals.entries()) names.set(`ephemeral${n}`, device.deviceName)
  return names
}

function namelessFirst(a: string | null, b: string | null): number {
  if (a === b) return 0
  return (a ?? '') < (b ?? '') ? -1 : 1
}
