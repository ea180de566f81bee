import type { Socket } from 'node:net'
import { createInterface } from 'node:readline'
import type { Listener } from '../namespace.ts'

/** What is said over the keeper's unix socket: one JSON object a line. */

/** A listening socket that is kept. */
export interface Kept {
  /** Counts up; never used twice. */
  readonly id: number
  readonly netns: string
  readonly listener: Listener
  /** Index, in its namespace, of the device a link-local socket is bound to; 0 for others. */
  readonly deviceIndex: number
}

/** Asked of the keeper. Each is answered by one `Answer`, in order. */
export type Request =
  /** All that is kept. */
  | { readonly ask: 'list' }
  /** `isShared`: another that shares the place may listen there already. */
  | { readonly ask: 'open'; readonly netns: string; readonly listener: Listener; readonly isShared: boolean }
  /** Another may come and listen in the same places. */
  | { readonly ask: 'share'; readonly ids: readonly number[] }
  | { readonly ask: 'close'; readonly ids: readonly number[]; readonly isRelieved: boolean }
  /** As `list`; from then on this connection is told each `Event`. */
  | { readonly ask: 'follow' }
  /** Of one who follows: it serves all it was told of, so those who followed before may retire. */
  | { readonly ask: 'succeed' }
  /** The socket itself, as `sendDescriptor` sends it, in place of an answer. On a connection of its own. */
  | { readonly ask: 'take'; readonly id: number }
  /** Everything is closed, those who follow retire, the keeper ends. */
  | { readonly ask: 'end' }

export type Answer =
  | { readonly kept: readonly Kept[] }
  /** `code` of the system error, when it was one. */
  | { readonly error: string; readonly code?: string }

export type Event =
  | { readonly event: 'opened'; readonly kept: Kept }
  /** `isRelieved`: another listens in its place, so finish what is in hand. */
  | { readonly event: 'closed'; readonly id: number; readonly isRelieved: boolean }
  /** Another serves: finish what is in hand, and end. */
  | { readonly event: 'retire' }

/** Calls back with each line the other side says. What is no JSON ends the connection: both sides are ours. */
export function onMessages<T>(socket: Socket, listener: (message: T) => void): void {
  const lines = createInterface({ input: socket, crlfDelay: Number.POSITIVE_INFINITY })
  lines.on('line', (line) => {
    try {
      listener(JSON.parse(line) as T)
    } catch (error) {
      socket.destroy(error instanceof Error ? error : new Error(String(error)))
    }
  })
  // readline hands on what its input suffers; the socket's own listeners answer for that.
  lines.on('error', () => undefined)
}

export function say(socket: Socket, message: Request | Answer | Event): void {
  if (socket.writable) socket.write(`${JSON.stringify(message)}\n`)
}
