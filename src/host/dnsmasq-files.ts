import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { HostError } from './errors.ts'
import { withoutStaleLeases } from './leases.ts'
import type { Dnsmasq } from './namespace.ts'

/** What of them dnsmasq reads with the rights of the user it becomes. */
const MODES = { directory: 0o755, file: 0o644 }

/**
 * Writes what a dnsmasq reads, and a lease file where there is none.
 * @param isStopped  it reads leases when it starts, so only then those that are stale can be taken out
 * @throws HostError naming the directory
 */
export function writeDnsmasqFiles(dnsmasq: Dnsmasq, nowSeconds: number, isStopped: boolean): void {
  const { directory, files } = dnsmasq
  try {
    mkdirSync(directory, { recursive: true, mode: MODES.directory })
    for (const [name, content] of Object.entries(files)) writeAtomically(join(directory, name), content)
    const leases = join(directory, 'leases')
    if (!existsSync(leases)) writeAtomically(leases, initialLeaseFile(dnsmasq, nowSeconds))
    else if (isStopped) writeAtomically(leases, withoutStaleLeases(readFileSync(leases, 'utf8'), files.host))
  } catch (cause) {
    throw new HostError(`writing dnsmasq's files in ${directory}: ${String(cause)}`, { cause })
  }
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

/** A reader sees the old content or the new, never half of one. */
function writeAtomically(path: string, content: string): void {
  if (existsSync(path) && readFileSync(path, 'utf8') === content) return
  const fresh = `${path}.new`
  writeFileSync(fresh, content, { mode: MODES.file })
  renameSync(fresh, path)
}

/**
 * Arguments that keep dnsmasq root, where it could not become another user: in a user namespace without other users
 * (`--group=` spares it setgroups(2), which is forbidden there), or where another user could not read its files.
 */
export function userArguments(directory: string): readonly string[] {
  return hasOtherUsers() && isReadableByAll(directory) ? [] : ['--user=root', '--group=']
}

/** The first 65536 users are ordinary in every distribution. */
function hasOtherUsers(): boolean {
  const ranges = readFileSync('/proc/self/uid_map', 'utf8').trim().split('\n')
  return ranges.some((range) => Number(range.trim().split(/\s+/)[2]) >= 65_536)
}

function isReadableByAll(directory: string): boolean {
  const isSearchable = (statSync(directory).mode & 0o001) !== 0
  return isSearchable && (directory === '/' || isReadableByAll(dirname(directory)))
}
