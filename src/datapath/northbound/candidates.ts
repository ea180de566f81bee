import type { Rows } from '../../ovsdb/ovsdb.ts'
import type { GatewayCandidate } from '../ovn/gateways.ts'
import { CHASSIS_TABLE } from './tables.ts'

/** Every chassis of the Southbound, as one that may have gateways. */
export function gatewayCandidates(southbound: Rows): readonly GatewayCandidate[] {
  return Array.from(southbound.all(CHASSIS_TABLE), ({ name, other_config, external_ids }) => {
    const said = (key: string) => (other_config?.get(key) ?? external_ids.get(key) ?? '').split(',')
    return {
      name,
      isGateway: said('ovn-cms-options').some((option) => option.trim() === 'enable-chassis-as-gw'),
      physicalNetworks: new Set(said('ovn-bridge-mappings').flatMap(mappedNetwork)),
    }
  })
}

/** `network:bridge` */
function mappedNetwork(mapping: string): readonly string[] {
  const network = mapping.split(':')[0]?.trim() ?? ''
  return network === '' ? [] : [network]
}
