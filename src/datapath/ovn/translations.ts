import type { IpAddress } from '../../inventory/records/address.ts'
import type { FloatingIp } from '../../inventory/records/floating-ip.ts'
import type { Subnet } from '../../inventory/records/subnet.ts'
import { macOf } from './names.ts'
import type { NatColumns } from './rows.ts'

/** What leaves for outside from a subnet goes by the gateway's address. */
export function sourceTranslation({ cidr }: Subnet, gateway: IpAddress): NatColumns {
  return {
    type: 'snat',
    external_ip: gateway,
    logical_ip: cidr,
    logical_port: undefined,
    external_mac: undefined,
    options: new Map(),
    external_ids: new Map(),
  }
}

/** @param router  its name in OVN
 *  @param isDistributed  translated on the chassis of its guest, and not where the gateway is
 *  @returns undefined for one that stands for nothing */
export function floatingTranslation(
  { id, address, networkId, portId, fixedIpAddress }: FloatingIp,
  router: string,
  isDistributed: boolean,
): NatColumns | undefined {
  if (portId === null || fixedIpAddress === null) return undefined
  return {
    type: 'dnat_and_snat',
    external_ip: address,
    logical_ip: fixedIpAddress,
    logical_port: portId,
    external_mac: isDistributed ? macOf(id) : undefined,
    options: new Map([['stateless', 'false']]),
    external_ids: new Map([
      ['neutron:fip_external_mac', macOf(id)],
      ['neutron:fip_id', id as string],
      ['neutron:fip_network_id', networkId],
      ['neutron:fip_port_id', portId],
      ['neutron:router_name', router],
    ]),
  }
}
