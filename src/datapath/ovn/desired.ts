import type { Decision } from '../decision.ts'
import type { DesiredAt } from '../desired.ts'
import { OVN_PREFIX, type OvnConfig, type OvnNetwork, ovnNamespaces } from './namespace.ts'

export interface OvnNetworks {
  readonly networks: readonly OvnNetwork[]
  /** Networks of guests here that cannot be served, and why. */
  readonly unserved: readonly { readonly network: string; readonly reason: string }[]
}

/** What OVN's databases want of this machine. Pure. */
export function ovnDesired({ networks, unserved }: OvnNetworks, config: OvnConfig): DesiredAt {
  return {
    bridges: new Map(),
    namespaces: new Map(ovnNamespaces(networks, config).map((namespace) => [namespace.name, namespace])),
    networks: undefined,
    portSecurity: undefined,
    decisions: [
      ...networks.map(({ id, name, guestAddresses }) =>
        decision(id, name, true, `guests here: ${guestAddresses.join(', ')}`),
      ),
      ...unserved.map(({ network, reason }) => decision(network, '', false, reason)),
    ],
    until: undefined,
  }
}

/** Guests are sent by OVN's own DHCP. */
function decision(id: string, name: string, answers: boolean, because: string): Decision {
  return { netns: `${OVN_PREFIX}${id}`, path: 'ovn', id, name, answers, sendsGuests: answers, because }
}
