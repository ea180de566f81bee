import { closeSync } from 'node:fs'
import { openNetlink } from '../netlink.ts'
import { inNamespace } from '../netns.ts'
import { computesChecksums } from '../offload.ts'
import { readLinks } from '../rtnetlink.ts'

/** One end of a veth pair as the kernel has it. */
export interface VethEnd {
  readonly name: string
  readonly isUp: boolean
  readonly mtu: number
  /** The kernel computes the checksums of what it sends. */
  readonly computesChecksums: boolean
}

/** @param netnsPath  where it is; undefined: in our own namespace
 *  @returns undefined when there is no such device @throws Error when nobody may look there */
export function examineVethEnd(name: string, netnsPath?: string): VethEnd | undefined {
  return netnsPath === undefined ? lookHere(name) : inNamespace<VethEnd | undefined>(netnsPath, () => lookHere(name))
}

function lookHere(name: string): VethEnd | undefined {
  const fd = openNetlink()
  try {
    const link = readLinks(fd).find((each) => each.name === name)
    return link && { name, isUp: link.up, mtu: link.mtu, computesChecksums: computesChecksums(name) }
  } finally {
    closeSync(fd)
  }
}
