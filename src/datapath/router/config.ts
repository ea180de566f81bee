import type { ProxyConfig } from '../proxy.ts'

/** What l3_agent.ini decides; each field is the option of the same name there. */
export interface RouterConfig extends ProxyConfig {
  readonly enableMetadataProxy: boolean
  /** Where the proxy listens in a router's namespace. */
  readonly metadataPort: number
  /** Marks what guests send to the metadata address; 16 bits. */
  readonly metadataAccessMark: number
  /** Seconds a guest may still use a route of a former lease; -1 is for ever. */
  readonly dhcpLeaseDuration: number
  /** Whether this machine's kernel has IPv6 at all. No option: found out at start. */
  readonly hasIpv6: boolean
}

/** `external_ingress_mark`: what came in from the external network. */
export const EXTERNAL_INGRESS_MARK = 2

export const ROUTER_DEFAULTS: Pick<RouterConfig, 'enableMetadataProxy' | 'metadataPort' | 'metadataAccessMark'> = {
  enableMetadataProxy: true,
  metadataPort: 9697,
  metadataAccessMark: 1,
}
