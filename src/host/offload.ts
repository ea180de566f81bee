import { closeSync } from 'node:fs'
import { checked, errno, ioctl, socket } from './libc.ts'
import { AF_INET } from './socket-address.ts'

/** ethtool's ioctl (linux/ethtool.h, linux/sockios.h), as far as checksums of what a device sends are concerned. */

const SIOCETHTOOL = 0x8946
const ETHTOOL_GTXCSUM = 0x16
const ETHTOOL_STXCSUM = 0x17
const SOCK_DGRAM_CLOEXEC = 0o2_000_002
const EOPNOTSUPP = 95
const UNUSED = Array<number>(16).fill(0)

/**
 * Lets the kernel compute the checksums of what a device of the calling thread's namespace sends. veth leaves them to the
 * other end, which knows that they are right without looking; beyond a bridge and a tap a guest's own kernel or DHCP client
 * looks, finds them wrong, and drops the packet. Neutron does the same (`ethtool --offload ... tx off`).
 * @throws Error when there is no such device
 */
export function computeChecksums(device: string): void {
  // A device that cannot leave them to hardware refuses to be asked, and is right already.
  ethtool(device, ETHTOOL_STXCSUM, 0)
}

/** Whether the device of the calling thread's namespace computes the checksums of what it sends. */
export function computesChecksums(device: string): boolean {
  return ethtool(device, ETHTOOL_GTXCSUM, 0) === 0
}

/** @returns the value afterwards; 0 where the device does not know the command */
function ethtool(device: string, command: number, value: number): number {
  const fd = checked(socket(AF_INET, SOCK_DGRAM_CLOEXEC, 0), 'opening a socket')
  try {
    const data = Uint32Array.of(command, value) // struct ethtool_value
    const failed = ioctl(fd, SIOCETHTOOL, { name: device, data, unused: UNUSED }) === -1
    if (failed && errno() === EOPNOTSUPP) return 0
    checked(failed ? -1 : 0, `asking for the offloads of ${device}`)
    return data[1] ?? 0
  } finally {
    closeSync(fd)
  }
}
