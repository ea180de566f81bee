import { closeSync, mkdirSync, rmSync } from 'node:fs'
import { HostError } from './errors.ts'
import { ipBatch } from './iproute.ts'
import { addBridge } from './link-changes.ts'
import { describeOwner } from './mark.ts'
import type { Bridge } from './namespace.ts'
import { openNetlink } from './netlink.ts'
import { inNamespace, NETNS_DIRECTORY, nameNamespace, netnsInode, netnsPath } from './netns.ts'
import { deviceIndex, readLinks } from './rtnetlink.ts'

/** Acts on the host's namespace that may meet what an earlier run left, or somebody who does the same just now. Each can
 *  be repeated. */

/** By ourselves: `ip netns add` costs the start of a program, twenty times what the kernel takes. */
export function makeNetns(name: string): void {
  mkdirSync(NETNS_DIRECTORY, { recursive: true, mode: 0o755 })
  if (netnsInode(netnsPath(name)) !== undefined)
    throw new HostError(
      `${name} exists and ${describeOwner(aliasOfLoopback(name))}; stop whoever owns it, or ip netns delete ${name}`,
    )
  rmSync(netnsPath(name), { force: true })
  nameNamespace(name)
}

function aliasOfLoopback(netns: string): string {
  return inNamespace<string>(netnsPath(netns), () => {
    const fd = openNetlink()
    try {
      return readLinks(fd).find(({ name }) => name === 'lo')?.alias ?? ''
    } finally {
      closeSync(fd)
    }
  })
}

export async function removeNetns(name: string): Promise<void> {
  if (netnsInode(netnsPath(name)) === undefined) rmSync(netnsPath(name), { force: true })
  else await ipBatch([['netns', 'delete', name]])
}

/** One that exists keeps the mark it has. */
export function makeBridge(bridge: Bridge, mark: string): void {
  if (deviceIndex(bridge.name) === 0) addBridge(bridge, mark)
}

/** With it goes the other end, if it has one. It may go by itself meanwhile, with the namespace of that end. By a program,
 *  since the kernel keeps whoever deletes waiting until nobody can be using the device any more. */
export async function removeDevice(name: string): Promise<void> {
  if (deviceIndex(name) === 0) return
  await ipBatch([['link', 'delete', name]]).catch((error: unknown) => {
    if (deviceIndex(name) !== 0) throw error
  })
}
