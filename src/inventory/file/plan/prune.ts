import { DHCP_PORT } from '../../records/port.ts'
import type { Noun } from '../../records/records.ts'
import type { Planning } from './planning.ts'

/**
 * Takes the records of a noun that the file does not name out of the draft, before anything is assigned: their names and
 * addresses are free for what the file does name, and nothing can refer to them. Ports go with what they belong to
 * (`pruneUnnamedPorts`); floating IPs are left to `floating-ips.ts`.
 */
export function pruneUnnamed(noun: Exclude<Noun, 'port' | 'floating_ip'>, planning: Planning): void {
  for (const id of planning.existing[noun].keys()) if (!planning.isInFile(id)) drop(noun, id, planning)
}

/** Leaves the ports that the file names, and those made for its servers, routers and DHCP networks. */
export function pruneUnnamedPorts(planning: Planning): void {
  for (const port of planning.existing.port.values()) {
    const belongs =
      planning.isInFile(port.id) ||
      (planning.isInFile(port.networkId) &&
        (port.deviceOwner === DHCP_PORT || (port.name === '' && planning.isInFile(port.deviceId))))
    if (!belongs) drop('port', port.id, planning)
  }
}

function drop(noun: Noun, id: string, planning: Planning): void {
  planning.draft[noun].delete(id)
  planning.directory.prune(noun, id)
}
