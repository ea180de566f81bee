import { takeOverSocket } from '../host/own-socket.ts'
import type { Forwarder } from '../http/messages.ts'
import { type ServerOptions, type Serving, serveDescriptor } from '../http/server.ts'

const BACKLOG = 1024

/** The agent's unix socket beside its function: for proxies that are programs of their own, which an option may call for
 *  at any time. Taken over from the process before, which finishes what it has accepted. */
export function serveAgentSocket(
  path: string,
  agent: Forwarder,
  options: ServerOptions,
  mode: number = 0o600,
  backlog: number = BACKLOG,
): Pick<Serving, 'close'> {
  const { fd, remove } = takeOverSocket(path, mode, backlog)
  const serving = serveDescriptor(agent, fd, options, backlog)
  return {
    close: (grace) => {
      remove()
      return serving.close(grace)
    },
  }
}
