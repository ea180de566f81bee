import { closeSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { errorCode } from '../errors.ts'
import { inNamespace, netnsPath } from '../netns.ts'
import { clearOwnSocket } from '../own-socket.ts'
import { deviceIndex } from '../rtnetlink.ts'
import { descriptorOf } from '../socket-descriptor.ts'
import { openListener, shareListener } from '../sockets.ts'
import { sendDescriptor } from './descriptor.ts'
import { type Answer, type Event, type Kept, onMessages, type Request, say } from './messages.ts'
import { serveNeighbours } from './neighbours.ts'

/**
 * The small part that opens listening sockets in namespaces and keeps them, so that those who plan and those who answer
 * can come and go: a connection made while nobody serves waits in the kernel's queue instead of being refused. It has the
 * privileges that entering a namespace takes, and never reads a byte of a guest's.
 *
 * Resolves when it listens on `path`, a unix socket in a directory of its owner's alone.
 */
export async function openSocketKeeper(path: string): Promise<SocketKeeper> {
  const kept = new Map<number, Kept & { readonly fd: number }>()
  const followers = new Set<Socket>()
  const ended = Promise.withResolvers<void>()
  let lastId = 0

  const tell = (event: Event, to: Iterable<Socket> = followers) => {
    for (const follower of to) say(follower, event)
  }
  const list = (): Answer => ({ kept: [...kept.values()].map(withoutDescriptor) })
  const close = (id: number, isRelieved = false) => {
    const socket = kept.get(id)
    if (socket === undefined) return
    kept.delete(id)
    closeSync(socket.fd)
    tell({ event: 'closed', id, isRelieved })
  }
  const answers: {
    readonly [K in Request['ask']]: (request: Extract<Request, { ask: K }>, from: Socket) => Answer | undefined
  } = {
    list,
    open: ({ netns, listener, isShared }) => {
      const { device } = listener
      const fd = openListener(netnsPath(netns), { ...listener, backlog: BACKLOG, isShared })
      const index = device === null ? 0 : inNamespace<number>(netnsPath(netns), () => deviceIndex(device))
      lastId += 1
      const socket = { id: lastId, netns, listener, deviceIndex: index, fd }
      kept.set(socket.id, socket)
      tell({ event: 'opened', kept: withoutDescriptor(socket) })
      return { kept: [withoutDescriptor(socket)] }
    },
    share: ({ ids }) => {
      const shared = [...kept.values()].filter(({ id }) => ids.includes(id))
      for (const { fd } of shared) shareListener(fd)
      return { kept: [] }
    },
    close: ({ ids, isRelieved }) => {
      for (const id of ids) close(id, isRelieved)
      return { kept: [] }
    },
    follow: (_, from) => {
      followers.add(from)
      return list()
    },
    succeed: (_, from) => {
      const earlier = [...followers].filter((follower) => follower !== from)
      for (const follower of earlier) followers.delete(follower)
      tell({ event: 'retire' }, earlier)
      return { kept: [] }
    },
    take: ({ id }, from) => {
      const fd = kept.get(id)?.fd
      if (fd === undefined) throw new Error(`socket ${id} is not kept any more`)
      const to = descriptorOf(from)
      if (to === undefined) throw new Error('the connection is gone')
      sendDescriptor(to, fd)
      return undefined
    },
    end: () => {
      for (const id of [...kept.keys()]) close(id)
      tell({ event: 'retire' })
      server.close()
      neighbours.close()
      ended.resolve()
      return { kept: [] }
    },
  }

  const server = createServer((from) => {
    from.on('error', () => undefined)
    from.on('close', () => followers.delete(from))
    onMessages<Request>(from, (request) => {
      const answer = answered(() => {
        // A keeper outlives those it keeps sockets for, and they may be of a later version.
        if (!Object.hasOwn(answers, request.ask)) throw new Error(`this keeper of sockets cannot ${request.ask}`)
        return (answers[request.ask] as (request: Request, from: Socket) => Answer | undefined)(request, from)
      })
      if (answer !== undefined) say(from, answer)
    })
  })
  await clearOwnSocket(path, 'socket keeper')
  const neighbours = await serveNeighbours(path)
  const listening = Promise.withResolvers<void>()
  server.once('error', listening.reject).listen({ path }, listening.resolve)
  await listening.promise
  return { ended: ended.promise }
}

export interface SocketKeeper {
  /** Resolves when it was asked to end. */
  readonly ended: Promise<void>
}

/** As haproxy's in the field. */
const BACKLOG = 1024

function answered(act: () => Answer | undefined): Answer | undefined {
  try {
    return act()
  } catch (error) {
    const code = errorCode(error)
    return { error: error instanceof Error ? error.message : String(error), ...(code === undefined ? {} : { code }) }
  }
}

function withoutDescriptor({ id, netns, listener, deviceIndex: index }: Kept): Kept {
  return { id, netns, listener, deviceIndex: index }
}
