import type { Haproxy, Listener, Program } from '../host/namespace.ts'
import { type HaproxyConfig, haproxyText } from './haproxy.ts'

/** What answers in the namespaces. */
export interface ProxyConfig extends HaproxyConfig {
  /** `native`: sockets of our own process; `haproxy`: a haproxy in each namespace, as the field has it. */
  readonly metadataProxyDriver: 'native' | 'haproxy'
  /** Files of programs live below it. Absolute. */
  readonly statePath: string
}

/** What of a namespace depends on the driver. */
export interface Proxy {
  readonly listeners: readonly Listener[]
  readonly programs: readonly Program[]
}

/** @param id  of the network or router; names haproxy's directory */
export function proxyOf(id: string, listeners: readonly Listener[], config: ProxyConfig): Proxy {
  if (config.metadataProxyDriver === 'native' || listeners.length === 0) return { listeners, programs: [] }
  const directory = `${config.statePath}/ns-metadata-proxy/${id}`
  const haproxy: Haproxy = {
    kind: 'haproxy',
    directory,
    arguments: ['-f', `${directory}/haproxy.conf`],
    files: { 'haproxy.conf': haproxyText(id, listeners, config) },
  }
  return { listeners: [], programs: [haproxy] }
}
