import { existsSync } from 'node:fs'

/** Whether this machine's kernel has IPv6, and it is not switched off. */
export function hasIpv6(): boolean {
  return existsSync('/proc/sys/net/ipv6/conf/all')
}
