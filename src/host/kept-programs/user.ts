import { readFileSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/** Whether a program could become another user, and then still read what lies in the directory: there are no others in
 *  most user namespaces, and a state directory may be closed to them. */
export function canBecomeAnotherUser(directory: string): boolean {
  return hasOtherUsers() && isReadableByAll(directory)
}

/** As packages make them for their programs; one that only a directory service knows is none of those. */
export function isSystemUser(name: string): boolean {
  return readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .some((line) => line.startsWith(`${name}:`))
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
