import { basename } from 'node:path'
import { listProcesses } from '../process.ts'
import type { Known } from './known.ts'

/** Of Open vSwitch and of a chassis of OVN. */
const PROGRAMS: ReadonlySet<string> = new Set(['ovsdb-server', 'ovs-vswitchd', 'ovn-controller'])

/** Those that run on this host, in containers too. unknown where none is seen: then we are in a container ourselves, and
 *  they in others. */
export function ovnPrograms(): Known<ReadonlySet<string>> {
  const found = listProcesses(([program = '']) => PROGRAMS.has(basename(program)))
  const names = new Set(found.map(({ arguments: [program = ''] }) => basename(program)))
  return names.size === 0 ? { unknown: 'no process of Open vSwitch can be seen from here' } : { value: names }
}
