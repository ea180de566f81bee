import type { MacAddress } from '../inventory/records/address.ts'
import { attempting } from './errors.ts'
import { addVeth, raiseLoopback } from './link-changes.ts'
import { makeBridge, makeNetns, removeDevice, removeNetns } from './links.ts'
import { MARK } from './mark.ts'
import { inNamespace, netnsPath } from './netns.ts'

/** Namespaces and what is plugged into the bridges, for those who run instances. All throw HostError. */

/** Makes an empty namespace with `lo` up. A name left without a namespace is taken over. */
export function addNetns(name: string): Promise<void> {
  return attempting(`creating namespace ${name}`, async () => {
    makeNetns(name)
    inNamespace<void>(netnsPath(name), () => raiseLoopback(MARK))
  })
}

/** Takes the name away. The namespace lives on while a process or socket is in it. No such name is no error. */
export function deleteNetns(name: string): Promise<void> {
  return attempting(`deleting namespace ${name}`, () => removeNetns(name))
}

export interface Plug {
  /** Made when it is missing, for the datapath that wants it to claim. */
  readonly bridge: string
  /** The end on the bridge (`tap...`). */
  readonly tap: string
  readonly netns: string
  /** The end in the namespace: `eth0`. It is left down, for the guest to raise. */
  readonly inner: string
  readonly mac: MacAddress
  readonly mtu: number
}

/** Joins a namespace to a bridge by a veth pair. One of the same name that an earlier run left is replaced. */
export function plugPort({ bridge, tap, netns, inner, mac, mtu }: Plug): Promise<void> {
  return attempting(`plugging ${inner} of ${netns} into ${bridge}`, async () => {
    makeBridge({ name: bridge, mtu }, MARK)
    await removeDevice(tap)
    addVeth({ peer: tap, bridge, netns, inner, mac, mtu })
  })
}

/** Deletes a veth pair by its end on the bridge. None there is no error: it may go with its namespace meanwhile. */
export function unplug(tap: string): Promise<void> {
  return attempting(`unplugging ${tap}`, () => removeDevice(tap))
}
