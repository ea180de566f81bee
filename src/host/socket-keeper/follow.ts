import { closeSync } from 'node:fs'
import { checked, connect, send, setsockopt, socket } from '../libc.ts'
import { type CloseProxy, type OpenProxy, RELIEF_MILLISECONDS } from '../listeners.ts'
import { AF_UNIX, encodeUnixAddress } from '../socket-address.ts'
import { connectKeeper } from './connection.ts'
import { receiveDescriptor } from './descriptor.ts'
import type { Event, Kept } from './messages.ts'

export interface Following {
  /** Resolves when another process serves in our place, or the keeper is gone: `why` we are to end. */
  readonly ended: Promise<'retired' | 'keeper gone'>
  /** Takes all servers off their sockets. Resolves when the requests in hand are answered, or the time given is over. */
  close(graceMilliseconds: number): Promise<void>
}

/**
 * Serves the sockets of a keeper: those it has, and each that it opens from now on. Resolves when the first are served;
 * who served them before us is then told to retire.
 * @param openProxy  puts a server on a socket
 * @throws Error when no keeper listens on `path`
 */
export async function followKeeper(path: string, openProxy: OpenProxy): Promise<Following> {
  const served = new Map<number, CloseProxy>()
  const ended = Promise.withResolvers<'retired' | 'keeper gone'>()
  const serve = (kept: Kept) => {
    const fd = takeDescriptor(path, kept.id)
    // Closed again before we asked for it.
    if (fd !== undefined && !served.has(kept.id)) served.set(kept.id, openProxy(fd, kept.listener))
  }
  const events: { readonly [K in Event['event']]: (event: Extract<Event, { event: K }>) => void } = {
    opened: ({ kept }) => serve(kept),
    closed: ({ id, isRelieved }) => {
      void served.get(id)?.(isRelieved ? RELIEF_MILLISECONDS : 0)
      served.delete(id)
    },
    retire: () => ended.resolve('retired'),
  }
  const connection = await connectKeeper(path, {
    onEvent: (event) => (events[event.event] as (event: Event) => void)(event),
    onClose: () => ended.resolve('keeper gone'),
  })
  for (const kept of await connection.ask({ ask: 'follow' })) serve(kept)
  await connection.ask({ ask: 'succeed' })
  return {
    ended: ended.promise,
    close: async (grace) => {
      connection.close()
      await Promise.all([...served.values()].map((close) => close(grace)))
      served.clear()
    },
  }
}

const SOCK_STREAM = 1
const SOCK_CLOEXEC = 0o2_000_000
const SOL_SOCKET = 1
const SO_RCVTIMEO = 20

/** Synchronous, on a connection of its own: Node would read a descriptor's byte and drop the descriptor.
 *  @returns undefined when it is not kept any more */
function takeDescriptor(path: string, id: number): number | undefined {
  const fd = checked(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), 'opening a socket')
  try {
    checked(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, PATIENCE, PATIENCE.length), 'setting a time limit')
    const address = encodeUnixAddress(path)
    checked(connect(fd, address, address.length), `connecting to ${path}`)
    const line = Buffer.from(`${JSON.stringify({ ask: 'take', id })}\n`)
    checked(Number(send(fd, line, line.length, 0)), `asking ${path}`)
    return receiveDescriptor(fd)
  } finally {
    closeSync(fd)
  }
}

/** A struct timeval of 64-bit Linux: the keeper answers within microseconds, or hangs. */
const PATIENCE = Buffer.alloc(16)
PATIENCE.writeBigInt64LE(5n)
