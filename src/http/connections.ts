import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/** Requests one connection may have sent ahead of their answers. No client of metadata sends any; Node would start
 *  thousands at once. */
const AHEAD = 32

/** What a connection may do to us besides asking. */
export function guardConnections(server: Server): void {
  server.on('clientError', refuse)
  // From here on the socket is ours alone: nobody else reads it, hears its errors or closes it.
  server.on('connect', (_: IncomingMessage, socket: Duplex) => {
    socket.on('error', () => socket.destroy()).end(page('405 Method Not Allowed'), () => socket.destroy())
  })
  server.prependListener('request', boundPipeline)
}

const ahead = new WeakMap<Socket, number>()

/** A response that has to wait for an earlier one has no socket yet. */
function boundPipeline(incoming: IncomingMessage, outgoing: ServerResponse): void {
  if (outgoing.socket !== null) return
  const { socket } = incoming
  const count = (ahead.get(socket) ?? 0) + 1
  ahead.set(socket, count)
  outgoing.once('close', () => ahead.set(socket, (ahead.get(socket) ?? 1) - 1))
  if (count > AHEAD) socket.destroy()
}

/** What Node's parser refuses never becomes a request: an oversized head, a malformed line, an unknown method. */
function refuse(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy()
    return
  }
  const pending = pendingAnswer(socket)
  if (pending?.req.complete) {
    // The fault is in what came after it, and a page now would be taken for its answer.
    pending.shouldKeepAlive = false
    pending.once('close', () => socket.destroy())
  } else if (pending?.headersSent) socket.destroy()
  else socket.end(page(error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? '408 Request Timeout' : '400 Bad Request'))
}

/** The answer that is next on a connection. Node keeps it there, and says so nowhere. */
function pendingAnswer(socket: Duplex): ServerResponse | undefined {
  const answer: unknown = '_httpMessage' in socket ? socket._httpMessage : undefined
  return (answer as ServerResponse | null | undefined) ?? undefined
}

function page(status: string): string {
  return `HTTP/1.1 ${status}\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Length: ${status.length}\r\nConnection: close\r\n\r\n${status}`
}
