import { closeSync } from 'node:fs'
import { attempting } from './errors.ts'
import type { GuestInterface, GuestState } from './guest.ts'
import { ipBatch } from './iproute.ts'
import { makeBridge, removeDevice } from './links.ts'
import { MARK } from './mark.ts'
import { openNetlink } from './netlink.ts'
import { readLinks } from './rtnetlink.ts'

/** The host's ends of a virtual machine's interfaces. All throw HostError. */

/** Makes the tap and puts it on its bridge, for QEMU to open. One that an earlier run left is replaced. */
export function addTap({ tap, bridge, mtu }: GuestInterface): Promise<void> {
  return attempting(`plugging ${tap} into ${bridge}`, async () => {
    await makeBridge({ name: bridge, mtu }, MARK)
    await removeDevice(tap)
    await ipBatch([['tuntap', 'add', 'dev', tap, 'mode', 'tap'], plug({ tap, bridge, mtu })])
  })
}

/** Puts a tap that is there back on its bridge. */
export function replugTap(vif: GuestInterface): Promise<void> {
  return attempting(`plugging ${vif.tap} in again`, async () => {
    await makeBridge({ name: vif.bridge, mtu: vif.mtu }, MARK)
    await ipBatch([plug(vif)])
  })
}

function plug({ tap, bridge, mtu }: Pick<GuestInterface, 'tap' | 'bridge' | 'mtu'>): readonly string[] {
  return ['link', 'set', tap, 'mtu', String(mtu), 'master', bridge, 'up']
}

/** Whether the taps of a running machine are where they belong. */
export function tapCondition(interfaces: readonly GuestInterface[]): GuestState['condition'] {
  const fd = openNetlink()
  try {
    const links = new Map(readLinks(fd).map((link) => [link.name, link]))
    if (!interfaces.every(({ tap }) => links.has(tap))) return 'down'
    const isPlugged = interfaces.every(({ tap, bridge }) => links.get(tap)?.master === links.get(bridge)?.index)
    return isPlugged ? 'running' : 'unplugged'
  } finally {
    closeSync(fd)
  }
}
