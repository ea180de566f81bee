import type { Listener, Stamp } from '../host/namespace.ts'
import { ipVersion } from '../inventory/records/address.ts'

export interface HaproxyConfig {
  /** The metadata agent's unix socket. Absolute. */
  readonly metadataProxySocket: string
  /** null: guests are not limited. */
  readonly rateLimit: RateLimit | null
  /** By which a network is named: as the DHCP agent has it where absent, or as OVN's agent. */
  readonly networkHeader?: 'X-OVN-Network-ID'
}

/** Options of [metadata_rate_limiting]. Windows in seconds, limits in requests of one guest within them. */
export interface RateLimit {
  /** haproxy's tables hold addresses of one family; guests of the other are not limited. */
  readonly ipVersion: 4 | 6
  readonly baseWindow: number
  readonly baseLimit: number
  readonly burstWindow: number
  readonly burstLimit: number
}

/**
 * A haproxy.conf as the L3, DHCP and OVN metadata agents write it (21.0.0), line by line, but for these:
 * no `daemon` and `pidfile`, since it stays in the foreground; IPv6 addresses in brackets, as later releases write them;
 * a guest's own X-Forwarded-For is deleted, which the field leaves in front of haproxy's and then answers with 500 (OVN's
 * agent: 404); and the network's header takes the place of a guest's own, which OVN's agent has it stand beside.
 *
 * @param id  of the network or router
 */
export function haproxyText(id: string, listeners: readonly Listener[], config: HaproxyConfig): string {
  const { metadataProxySocket, rateLimit } = config
  return `
global
    log         /dev/log local0 info
    log-tag     haproxy-metadata-proxy-${id}
    user        root
    group       root
    maxconn     1024

defaults
    log global
    mode http
    option httplog
    option dontlognull
    option http-server-close
    option forwardfor
    retries                 3
    timeout http-request    30s
    timeout connect         30s
    timeout client          32s
    timeout server          32s
    timeout http-keep-alive 30s
${rateLimit === null ? '' : tables(rateLimit)}
listen listener
${listeners.map(bindLine).join('\n')}
    server metadata ${metadataProxySocket}
${rateLimit === null ? '' : limits(rateLimit)}    http-request del-header X-Forwarded-For
${listeners
  .slice(0, 1)
  .flatMap((first) => identityLines(first, config))
  .join('\n')}
`
}

function bindLine({ address, port, device }: Listener): string {
  const host = ipVersion(address) === 6 ? `[${address}]` : address
  return `    bind ${host}:${port}${device === null ? '' : ` interface ${device}`}`
}

function identityLines({ stamp }: { readonly stamp: Stamp }, { networkHeader }: HaproxyConfig): readonly string[] {
  const [network, router] = ['X-Neutron-Network-ID', 'X-Neutron-Router-ID']
  if ('routerId' in stamp) return identity(router, stamp.routerId, [network])
  if (networkHeader === undefined) return identity(network, stamp.networkId, [router])
  return identity(networkHeader, stamp.networkId, [router, network])
}

/** @param others  headers that would say another, where a guest sends them */
function identity(header: string, id: string, others: readonly string[]): readonly string[] {
  return [
    ...others.map((other) => `    http-request del-header ${other}`),
    `    http-request set-header ${header} ${id}`,
  ]
}

function tables({ ipVersion: version, baseWindow, burstWindow }: RateLimit): string {
  const type = version === 4 ? 'ip' : 'ipv6'
  const expire = Math.max(baseWindow, burstWindow)
  const table = (name: string, window: number) =>
    `\nbackend ${name}\n    stick-table type ${type} size 10k expire ${expire}s store http_req_rate(${window}s)\n`
  return table('base_rate_limiter', baseWindow) + table('burst_rate_limiter', burstWindow)
}

function limits({ baseLimit, burstLimit }: RateLimit): string {
  return [
    'http-request track-sc0 src table base_rate_limiter',
    'http-request track-sc1 src table burst_rate_limiter',
    `http-request deny deny_status 429 if { sc_http_req_rate(0) gt ${baseLimit} }`,
    `http-request deny deny_status 429 if { sc_http_req_rate(1) gt ${burstLimit} }`,
  ]
    .map((line) => `    ${line}\n`)
    .join('')
}
