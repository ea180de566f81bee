import type { Socket } from 'node:net'
import { descriptorOf } from '../host/socket-descriptor.ts'
import { peerAddress } from '../host/sockets.ts'
import { errorPage } from '../http/error-page.ts'
import { MetadataError } from '../http/errors.ts'
import type { HttpRequest } from '../http/messages.ts'
import type { ServerOptions } from '../http/server.ts'
import type { Log } from '../observe/log.ts'

/** How every server of ours treats failures: one page, one log line. */
export function serverOptions(log: Log): ServerOptions {
  return {
    onError: (error, request) => {
      if (request.trace !== undefined) request.trace.problem = error instanceof MetadataError ? error.code : 'crash'
      logFailure(log, error, request)
      return errorPage(error, request)
    },
  }
}

/** The same for sockets that hops of ours connect to. */
export function hopServerOptions(log: Log): ServerOptions {
  return { ...serverOptions(log), trustsRequestId: true }
}

/** The same for sockets in namespaces, where Node may not know how to name the peer. */
export function guestServerOptions(log: Log): ServerOptions {
  return { ...serverOptions(log), peerAddress: guestAddress }
}

/** A link-local peer is on a device of another namespace: there Node throws, or names a device of ours that happens to
 *  have the same index. So the kernel is asked. */
function guestAddress(socket: Socket): string {
  const named = nodesName(socket)
  if (named !== undefined && !named.includes(':')) return named
  const fd = descriptorOf(socket)
  return (fd === undefined ? undefined : peerAddress(fd)) ?? ''
}

function nodesName(socket: Socket): string | undefined {
  try {
    return socket.remoteAddress
  } catch {
    return undefined
  }
}

function logFailure(log: Log, error: unknown, { id, method, target, remoteAddress, trace }: HttpRequest): void {
  // A unix socket's peer has no address; the proxy has said who asked it.
  const facts = { request: id, method, target, remoteAddress: remoteAddress || trace?.from }
  if (error instanceof MetadataError) {
    const cause = error.cause instanceof Error ? error.cause.message : error.cause
    // What a guest does wrong is its own affair; what we cannot do is the operator's.
    const level = error.status >= 500 ? 'warn' : 'info'
    log[level]({ ...facts, status: error.status, code: error.code, cause }, error.message)
  } else log.error({ ...facts, err: error }, 'the request failed')
}
