import type { IpAddress, MacAddress } from '../inventory/records/address.ts'
import { errorCode } from './errors.ts'
import { inNamespace, netnsInode, netnsPath } from './netns.ts'
import { withNetlink } from './netns-reader.ts'
import { readLinks, readNeighbour } from './rtnetlink.ts'

/** On a device of a namespace, an address was heard with this MAC address: the kernel there knows it as a neighbour. It is what
 *  the neighbour says of itself. */
export interface Heard {
  readonly device: string
  readonly mac: MacAddress
}

/**
 * Who has an IPv6 address in a namespace, by its neighbour table. A connection from that address has made the entry, or
 * could not have been answered.
 * @returns undefined when there is no such namespace
 * @throws Error with `code` (`EPERM`: this process may not enter namespaces)
 */
export function heardIn(netns: string, address: IpAddress): readonly Heard[] | undefined {
  const path = netnsPath(netns)
  if (netnsInode(path) === undefined) return undefined
  try {
    return inNamespace<readonly Heard[]>(path, () => heardHere(address))
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined // deleted meanwhile
    throw error
  }
}

function heardHere(address: IpAddress): readonly Heard[] {
  return withNetlink((fd) =>
    readLinks(fd).flatMap(({ index, name }) => {
      const mac = readNeighbour(fd, index, address)
      return mac === undefined ? [] : [{ device: name, mac }]
    }),
  )
}
