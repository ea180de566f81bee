import { DHCP_DEFAULTS, type DhcpConfig } from './dhcp/config.ts'
import { ROUTER_DEFAULTS, type RouterConfig } from './router/config.ts'

/** What the options decide about this machine's namespaces. */
export type DatapathConfig = DhcpConfig & RouterConfig

export const DATAPATH_DEFAULTS: Omit<DatapathConfig, 'statePath'> = { ...DHCP_DEFAULTS, ...ROUTER_DEFAULTS }
