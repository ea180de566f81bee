import type { Command, ObservedDevice, ObservedNamespace } from '../../host/host.ts'
import type { Device, Namespace } from '../../host/namespace.ts'
import { type Step, step } from './step.ts'

/** Devices and addresses that are missing, and what differs of those that are there. Of a new address the neighbours have to
 *  hear: where it was another device's a moment ago, they would go on sending to that one's MAC. */
export function deviceSteps(netns: string, device: Device, { devices }: ObservedNamespace): readonly Step[] {
  const seen = devices.find(({ name }) => name === device.name)
  const differs = seen && difference(device, seen)
  const missing = device.addresses.filter((address) => !seen?.addresses.includes(address))
  return [
    ...(seen === undefined ? [step({ kind: 'device-add', netns, device }, `${device.name} is missing`)] : []),
    ...(differs === undefined ? [] : [step({ kind: 'device-set', netns, device }, differs)]),
    ...missing.map((address) =>
      step({ kind: 'address-add', netns, device: device.name, address }, `address ${address} is missing`),
    ),
    ...(missing.length > 0
      ? [step({ kind: 'device-set', netns, device }, `neighbours have to hear of ${missing.join(', ')}`)]
      : []),
  ]
}

/** Devices and addresses that are there and not wanted. */
export function deviceLeftovers({ name: netns, devices: wanted }: Namespace, seen: ObservedNamespace): readonly Step[] {
  const byName = new Map(wanted.map((device) => [device.name, device]))
  return seen.devices.flatMap((device) => {
    const kept = byName.get(device.name)
    if (kept === undefined) return [step(removeDevice(netns, device), 'no port wants the device')]
    return device.addresses
      .filter((address) => !kept.addresses.includes(address))
      .map((address) =>
        step({ kind: 'address-delete', netns, device: device.name, address }, 'no port has the address'),
      )
  })
}

export function removeDevice(netns: string, { name, peer }: ObservedDevice): Command {
  return { kind: 'device-delete', netns, name, peer }
}

/** The MAC and the other end of a device are given once: another one of the same name has to go first. */
export function isReplaced(seen: ObservedDevice, { devices }: Namespace): boolean {
  const wanted = devices.find(({ name }) => name === seen.name)
  return wanted !== undefined && (wanted.mac !== seen.mac || wanted.peer !== seen.peer)
}

/** What the kernel leaves of a namespace when devices go. */
export function without(seen: ObservedNamespace, gone: readonly ObservedDevice[]): ObservedNamespace {
  if (gone.length === 0) return seen
  const names = new Set(gone.map(({ name }) => name))
  const isGone = (key: string) => gone.some(({ name }) => key.includes(`%${name}]`))
  return {
    ...seen,
    devices: seen.devices.filter(({ name }) => !names.has(name)),
    routes: seen.routes.filter(({ device }) => !names.has(device)),
    listening: new Set([...seen.listening].filter((key) => !isGone(key))),
  }
}

function difference(device: Device, seen: ObservedDevice): string | undefined {
  if (seen.bridge !== device.bridge) return `${device.peer} is on ${seen.bridge || 'no bridge'}`
  if (seen.ifaceId !== device.ifaceId) return `${device.peer} has iface-id ${seen.ifaceId ?? 'none'}`
  if (seen.mtu !== device.mtu) return `${device.name} has MTU ${seen.mtu}`
  if (seen.offloads) return `${device.name} leaves checksums to hardware`
  return seen.up ? undefined : `${device.name} is down`
}
