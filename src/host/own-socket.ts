import { lstatSync, mkdirSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import { HostError } from './errors.ts'
import { socketOwner } from './socket-owner.ts'
import { openUnixListener } from './sockets.ts'

/** A unix socket that we made and take away again. */
export interface OwnSocket {
  readonly fd: number
  /** Takes the path away, if what is there is still ours. */
  remove(): void
}

/**
 * Listens on a unix socket. What a killed predecessor left there is removed; its directory is made.
 * @throws HostError when somebody listens there (he would be robbed silently) or when something else is there (it would
 *   be lost)
 */
export async function openOwnSocket(path: string, mode: number, backlog: number): Promise<OwnSocket> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 })
  await clearOwnSocket(path, 'metadata agent')
  return ownSocket(path, mode, backlog)
}

/** The same in the place of a predecessor of ours, which serves on what it has accepted. Both calls follow at once: whoever
 *  connects between them finds nothing, and has to be one that tries again. */
export function takeOverSocket(path: string, mode: number, backlog: number): OwnSocket {
  rmSync(path, { force: true })
  return ownSocket(path, mode, backlog)
}

function ownSocket(path: string, mode: number, backlog: number): OwnSocket {
  const fd = openUnixListener(path, mode, backlog)
  const { dev, ino } = lstatSync(path)
  return {
    fd,
    remove: () => {
      const found = lstatSync(path, { throwIfNoEntry: false })
      if (found?.dev === dev && found.ino === ino) rmSync(path)
    },
  }
}

/** @param who  listens there, for the message */
export async function clearOwnSocket(path: string, who: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found === undefined) return
  if (!found.isSocket()) throw new HostError(`${path} is there and is no socket; name another --metadata-proxy-socket`)
  // A listener whose queue is full says EAGAIN: only a refusal proves that nobody is there.
  if ((await probe(path)) === 'ECONNREFUSED') rmSync(path, { force: true })
  else throw new HostError(`${path}: another ${who} listens there (${socketOwner(path)}); stop it first`)
}

function probe(path: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  const socket = connect(path)
  socket.once('connect', () => resolve('connected'))
  socket.once('error', (error) => resolve('code' in error ? String(error.code) : ''))
  return promise.finally(() => socket.destroy())
}
