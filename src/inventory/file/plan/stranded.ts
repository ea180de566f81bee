import { contains } from '../../records/address.ts'
import type { SubnetId } from '../../records/ids.ts'
import type { FixedIp, Port } from '../../records/port.ts'
import { labelOfDevice } from './bindings.ts'
import type { Contents } from './contents.ts'
import { labelOf } from './networks.ts'
import { type Planning, soundItems } from './planning.ts'

/** Refuses a new range for a subnet in which a port that the file does not speak of has an address. What the file does
 *  speak of has got a new one by now. */
export function refuseStranded(contents: Contents, planning: Planning): void {
  const stranded = new Map<SubnetId, { readonly port: Port; readonly fixedIp: FixedIp }>()
  for (const port of planning.draft.port.values()) {
    for (const fixedIp of port.fixedIps) {
      const subnet = planning.draft.subnet.get(fixedIp.subnetId)
      if (subnet === undefined || subnet.networkId !== port.networkId || !contains(subnet.cidr, fixedIp.ipAddress)) {
        stranded.set(fixedIp.subnetId, { port, fixedIp })
      }
    }
  }
  for (const [item, id] of soundItems(planning, 'subnet', contents.subnet)) {
    const found = stranded.get(id)
    const former = planning.existing.subnet.get(id)
    if (found === undefined || former === undefined) continue
    const owner = found.port.deviceId === '' ? `port ${found.port.id}` : labelOfDevice(found.port.deviceId, planning)
    planning.report(
      [...item.at, 'cidr'],
      `${labelOf(former)} cannot become ${item.cidr}: ${owner}, which the file does not name, has ${found.fixedIp.ipAddress} there`,
    )
  }
}
