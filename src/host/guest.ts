import type { MacAddress } from '../inventory/records/address.ts'
import type { InstanceId } from '../inventory/records/ids.ts'

/** An instance as a hypervisor of this host runs it. Plain data: an equal one needs no restart. */
export interface Guest {
  readonly id: InstanceId
  readonly interfaces: readonly GuestInterface[]
}

export interface GuestInterface {
  /** In the guest: `eth0`, `eth1`, ... in the order of the server's ports. */
  readonly name: string
  /** The host's end, a port of `bridge`. */
  readonly tap: string
  readonly bridge: string
  readonly mac: MacAddress
  readonly mtu: number
}

/** What is left on this host of an instance that was once started. */
export interface GuestState<G extends Guest = Guest> {
  /** As it was started; undefined when that cannot be told any more. */
  readonly guest: G | undefined
  /**
   * `unplugged`: it runs, but a tap is on no bridge or on another one; `attach` mends that.
   * `down`: it has ended, or lost a device: only a new start mends that.
   */
  readonly condition: 'running' | 'unplugged' | 'down'
}
