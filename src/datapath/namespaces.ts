import { DHCP_PREFIX, DHCP_SYSCTLS, DHCP_SYSCTLS_IPV6 } from './dhcp/namespace.ts'
import { ROUTER_PREFIX, ROUTER_SYSCTLS, ROUTER_SYSCTLS_IPV6 } from './router/namespace.ts'

/** What the names of our namespaces begin with. */
export const NETNS_PREFIXES: readonly string[] = [DHCP_PREFIX, ROUTER_PREFIX]
/** Those of them that have rules of the packet filter. */
export const FIREWALL_PREFIXES: readonly string[] = [ROUTER_PREFIX]
/** Settings that are looked at. */
export const SYSCTLS: readonly string[] = Object.keys({
  ...DHCP_SYSCTLS,
  ...DHCP_SYSCTLS_IPV6,
  ...ROUTER_SYSCTLS,
  ...ROUTER_SYSCTLS_IPV6,
})
