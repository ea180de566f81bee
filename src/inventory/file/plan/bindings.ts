import type { PortId } from '../../records/ids.ts'
import { type Port, ROUTER_INTERFACE_OWNERS } from '../../records/port.ts'
import type { Path } from '../problem.ts'
import type { Planning } from './planning.ts'

/** What a port belongs to. */
export interface Binding {
  readonly deviceId: string
  readonly deviceOwner: string
  /** In words: `server web-1`. */
  readonly label: string
  readonly mayBeGateway: boolean
}

/** Ports that servers and routers of the file name as theirs. */
export class Bindings {
  readonly #byPort = new Map<PortId, Binding>()
  readonly #kept = new Map<string, ReadonlySet<PortId>>()

  get(port: PortId): Binding | undefined {
    return this.#byPort.get(port)
  }

  /** Binds a port of the file or of the inventory, unless somebody else has it. @returns the port's id */
  bind(reference: string, binding: Binding, path: Path, scope: string, planning: Planning): PortId | undefined {
    const id = planning.resolve('port', reference, path, scope)
    if (id === undefined) return undefined
    const other = this.#byPort.get(id)?.label ?? foreignOwner(id, binding, planning)
    if (other !== undefined) {
      planning.report(path, `port ${JSON.stringify(reference)} belongs to ${other} already; each port can be used once`)
      return undefined
    }
    this.#byPort.set(id, binding)
    return id
  }

  /** Notes which of a device's former interfaces it keeps. */
  keep(device: string, ports: readonly PortId[]): void {
    this.#kept.set(device, new Set(ports))
  }

  /** Carries out, when everybody has been heard, what became of ports that the file itself does not list. */
  carryOut(planning: Planning): void {
    for (const [device, kept] of this.#kept) {
      const released = formerInterfaces(device, planning).filter(({ id }) => !kept.has(id) && !this.#byPort.has(id))
      for (const port of released) release(port, planning)
    }
    for (const [id, { deviceId, deviceOwner }] of this.#byPort) {
      const port = planning.draft.port.get(id)
      if (port !== undefined) planning.draft.port.set(id, { ...port, deviceId, deviceOwner })
    }
  }
}

/** A port that was made for its device goes with it; one with a name of its own is only set free. */
function release(port: Port, planning: Planning): void {
  if (port.name === '') planning.draft.port.delete(port.id)
  else planning.draft.port.set(port.id, { ...port, deviceId: '', deviceOwner: '' })
}

/** The interfaces a device had, but for ports that the file lists: those become what the file says. */
export function formerInterfaces(device: string, planning: Planning): readonly Port[] {
  return (planning.portsByDevice().get(device) ?? []).filter(
    ({ id, deviceOwner }) =>
      !planning.isInFile(id) && (!deviceOwner.startsWith('network:') || ROUTER_INTERFACE_OWNERS.has(deviceOwner)),
  )
}

/** A server or router that has the port and that the file does not speak of. */
function foreignOwner(id: PortId, { deviceId }: Binding, planning: Planning): string | undefined {
  const port = planning.draft.port.get(id)
  if (port === undefined || port.deviceId === '' || port.deviceId === deviceId) return undefined
  if (planning.isInFile(port.deviceId)) return undefined
  return labelOfDevice(port.deviceId, planning)
}

/** `server web-1`, `router r`, or the bare device id. */
export function labelOfDevice(device: string, planning: Planning): string {
  const server = planning.draft.server.get(device)
  const router = planning.draft.router.get(device)
  if (server !== undefined) return `server ${server.name}`
  if (router !== undefined) return `router ${router.name}`
  return device.startsWith('dhcp') ? 'the DHCP port' : `device ${device}`
}
