import type { DhcpConfig } from './config.ts'
import { isInMetadataNetwork, isIsolated, type NetworkView, ovnMetadataPort } from './network-view.ts'

export interface MetadataDecision {
  /** Guests are sent to the DHCP port. In the field a proxy runs there then, and only then. */
  readonly sendsGuests: boolean
  readonly because: string
}

type Row = MetadataDecision & { readonly holds: (view: NetworkView, config: DhcpConfig) => boolean }

/** The DHCP agent's rule, top down: the first row that holds decides (neutron, dhcp agent as of 2026.2). */
const ROWS: readonly Row[] = [
  {
    sendsGuests: false,
    because: 'OVN answers: the network has a metadata port',
    holds: (view) => !!ovnMetadataPort(view),
  },
  {
    sendsGuests: false,
    because: 'no subnet has DHCP',
    holds: ({ subnets }) => !subnets.some((subnet) => subnet.enableDhcp),
  },
  { sendsGuests: true, because: 'force_metadata is set', holds: (_, config) => config.forceMetadata },
  {
    sendsGuests: false,
    because: 'enable_isolated_metadata is off',
    holds: (_, config) => !config.enableIsolatedMetadata,
  },
  {
    sendsGuests: true,
    because: 'it is a metadata network',
    holds: ({ subnets }, config) => config.enableMetadataNetwork && subnets.some(isInMetadataNetwork),
  },
  {
    sendsGuests: true,
    because: 'a subnet with DHCP is isolated',
    holds: (view) => view.subnets.some((subnet) => subnet.enableDhcp && isIsolated(subnet, view)),
  },
]

const ROUTED: MetadataDecision = {
  sendsGuests: false,
  because: 'a router has the gateway address of every subnet with DHCP',
}

/** Whether guests of this network are to ask at its DHCP port, and why. */
export function decideMetadata(view: NetworkView, config: DhcpConfig): MetadataDecision {
  const { sendsGuests, because } = ROWS.find((row) => row.holds(view, config)) ?? ROUTED
  return { sendsGuests, because }
}
