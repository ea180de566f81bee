import type { DhcpConfig } from './config.ts'
import { isInMetadataNetwork, isIsolated, type NetworkView, ovnMetadataPort } from './network-view.ts'

export interface MetadataDecision {
  /** A proxy answers in the network's DHCP namespace. */
  readonly serve: boolean
  readonly because: string
}

type Row = MetadataDecision & { readonly holds: (view: NetworkView, config: DhcpConfig) => boolean }

/** The DHCP agent's rule, top down: the first row that holds decides (neutron, dhcp agent as of 2026.2). */
const ROWS: readonly Row[] = [
  { serve: false, because: 'OVN answers: the network has a metadata port', holds: (view) => !!ovnMetadataPort(view) },
  { serve: false, because: 'no subnet has DHCP', holds: ({ subnets }) => !subnets.some((subnet) => subnet.enableDhcp) },
  { serve: true, because: 'force_metadata is set', holds: (_, config) => config.forceMetadata },
  { serve: false, because: 'enable_isolated_metadata is off', holds: (_, config) => !config.enableIsolatedMetadata },
  {
    serve: true,
    because: 'it is a metadata network',
    holds: ({ subnets }, config) => config.enableMetadataNetwork && subnets.some(isInMetadataNetwork),
  },
  {
    serve: true,
    because: 'a subnet with DHCP is isolated',
    holds: (view) => view.subnets.some((subnet) => subnet.enableDhcp && isIsolated(subnet, view)),
  },
]

const ROUTED: MetadataDecision = { serve: false, because: 'a router has the gateway address of every subnet with DHCP' }

/** Whether a proxy must answer on this network, and why. */
export function decideMetadata(view: NetworkView, config: DhcpConfig): MetadataDecision {
  const { serve, because } = ROWS.find((row) => row.holds(view, config)) ?? ROUTED
  return { serve, because }
}
