/** Configurations of haproxy, to compare with. Pure. */

export interface StaticAnswer {
  readonly path: string
  readonly contentType: string
  /** Absolute path of the file with the body. */
  readonly file: string
}

/** The least that any HTTP server could do for the same bytes: one thread, no log, no second hop, bodies in memory. */
export function staticConfig(address: string, port: number, answers: readonly StaticAnswer[]): string {
  const rules = answers.map(
    ({ path, contentType, file }) =>
      `  http-request return status 200 content-type "${contentType}" file ${file} if { path ${path} }`,
  )
  return `global
  nbthread 1
  maxconn 1024
defaults
  mode http
  timeout client 32s
  timeout http-request 30s
  timeout http-keep-alive 30s
frontend static
  bind ${address}:${port}
${rules.join('\n')}
`
}

export interface ProxyPlace {
  readonly networkId: string
  /** The device of the network's namespace that has the link-local address. */
  readonly device: string
  readonly pidFile: string
  /** Of the metadata agent. */
  readonly socket: string
}

/** As neutron's DHCP agent writes it for the haproxy that it runs for each network. */
export function proxyConfig({ networkId, device, pidFile, socket }: ProxyPlace): string {
  return `global
    log         /dev/log local0 info
    log-tag     haproxy-metadata-proxy-${networkId}
    user        root
    group       root
    maxconn     1024
    pidfile     ${pidFile}
    daemon

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

listen listener
    bind 169.254.169.254:80
    bind fe80::a9fe:a9fe:80 interface ${device}
    server metadata ${socket}
    http-request del-header X-Neutron-Router-ID
    http-request set-header X-Neutron-Network-ID ${networkId}
`
}
