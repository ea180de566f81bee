import { connect, type Socket } from 'node:net'
import { HostError } from '../errors.ts'
import { type Answer, type Event, type Kept, onMessages, type Request, say } from './messages.ts'

/** A connection to the keeper. */
export interface KeeperConnection {
  /** @throws HostError with the keeper's reason, and `code` where it has one; also when it is gone */
  ask(request: Request): Promise<readonly Kept[]>
  close(): void
}

export interface ConnectionEvents {
  readonly onEvent?: (event: Event) => void
  /** The keeper is gone, or we have closed. */
  readonly onClose: () => void
}

/** @throws Error with `code`: ENOENT or ECONNREFUSED when no keeper runs */
export async function connectKeeper(path: string, { onEvent, onClose }: ConnectionEvents): Promise<KeeperConnection> {
  const socket = await connected(path)
  const waiting: PromiseWithResolvers<readonly Kept[]>[] = []
  socket.on('error', () => undefined)
  socket.on('close', () => {
    for (const { reject } of waiting.splice(0)) reject(new HostError('the socket keeper is gone'))
    onClose()
  })
  onMessages<Answer | Event>(socket, (message) => {
    if ('event' in message) onEvent?.(message)
    else if ('error' in message) waiting.shift()?.reject(failure(message))
    else waiting.shift()?.resolve(message.kept)
  })
  return {
    ask: (request) => {
      if (!socket.writable) return Promise.reject(new HostError('the socket keeper is gone'))
      const answer = Promise.withResolvers<readonly Kept[]>()
      waiting.push(answer)
      say(socket, request)
      return answer.promise
    },
    close: () => socket.end(),
  }
}

function failure({ error, code }: Extract<Answer, { error: string }>): HostError {
  return Object.assign(new HostError(error), code === undefined ? {} : { code })
}

async function connected(path: string): Promise<Socket> {
  const socket = connect(path)
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  socket.once('connect', resolve).once('error', reject)
  await promise
  socket.off('error', reject)
  return socket
}
