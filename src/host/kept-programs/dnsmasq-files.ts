import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { withoutStaleLeases } from '../leases.ts'
import type { Dnsmasq } from '../namespace.ts'
import { inDirectory, writeAtomically, writeFiles } from './files.ts'

/**
 * Writes what a dnsmasq reads, and a lease file where there is none.
 * @param isStopped  it reads leases when it starts, so only then those that are stale can be taken out
 * @throws HostError naming the directory
 */
export function writeDnsmasqFiles(dnsmasq: Dnsmasq, nowSeconds: number, isStopped: boolean): void {
  const { directory, files } = dnsmasq
  writeFiles(dnsmasq)
  inDirectory('dnsmasq', directory, () => {
    const leases = join(directory, 'leases')
    if (!existsSync(leases)) writeAtomically(leases, initialLeaseFile(dnsmasq, nowSeconds))
    else if (isStopped) writeAtomically(leases, withoutStaleLeases(readFileSync(leases, 'utf8'), files.host))
  })
}

/** Whether a running dnsmasq keeps an address for somebody who has it no more. */
export function hasStaleLeases({ directory, files }: Dnsmasq): boolean {
  const path = join(directory, 'leases')
  if (!existsSync(path)) return false
  const leases = readFileSync(path, 'utf8')
  return withoutStaleLeases(leases, files.host) !== leases
}

/** `expiry mac address name client-id` a line; expiry 0 is never. */
export function initialLeaseFile({ initialLeases, leaseDuration }: Dnsmasq, nowSeconds: number): string {
  const expiry = leaseDuration === -1 ? 0 : nowSeconds + leaseDuration
  return initialLeases.map(({ mac, address, name }) => `${expiry} ${mac} ${address} ${name} *\n`).join('')
}
