import type { OpenProxy } from '../host/listeners.ts'
import type { Forwarder } from '../http/messages.ts'
import { type ServerOptions, serveDescriptor } from '../http/server.ts'
import { metadataProxy } from './handler.ts'

/**
 * The proxies of all namespaces in one process: sockets that were opened in a namespace stay there, wherever the process
 * that serves them is.
 *
 * @param agent  what each request is handed to, once it says where it came from
 */
export function nativeProxies(agent: Forwarder, options: ServerOptions): OpenProxy {
  return (fd, { stamp }) => {
    const serving = serveDescriptor(metadataProxy(stamp, agent), fd, options)
    return (grace = 0) => serving.close(grace)
  }
}
