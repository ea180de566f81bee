import { lstatSync, mkdirSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import { errorCode, HostError } from './errors.ts'
import { socketHolders, socketOwner } from './socket-owner.ts'
import { openUnixListener } from './sockets.ts'

/** A unix socket that we made and take away again. */
export interface OwnSocket {
  readonly fd: number
  /** What is at the path is still ours: whoever connects reaches us. */
  isInPlace(): boolean
  /** Takes the path away, if what is there is still ours. */
  remove(): void
}

/** Of a process that listens where we are to: whether its place is ours to take. */
export type IsPredecessor = (pid: number) => boolean

/**
 * Listens on a unix socket. What a killed predecessor left there is removed; its directory is made.
 * @param isPredecessor  one who lives gives way, and serves on what it has accepted. Its socket goes and ours comes at once:
 *   whoever connects between finds nothing, and has to be one that tries again
 * @throws HostError when somebody else listens there (he would be robbed silently), when something else is there (it would
 *   be lost), or when there cannot be such a directory
 */
export async function openOwnSocket(
  path: string,
  mode: number,
  backlog: number,
  isPredecessor?: IsPredecessor,
): Promise<OwnSocket> {
  makeDirectory(dirname(path))
  await clearOwnSocket(path, 'metadata agent', isPredecessor)
  const fd = openUnixListener(path, mode, backlog)
  const { dev, ino } = lstatSync(path)
  const isInPlace = () => {
    const found = lstatSync(path, { throwIfNoEntry: false })
    return found?.dev === dev && found.ino === ino
  }
  return { fd, isInPlace, remove: () => isInPlace() && rmSync(path) }
}

function makeDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o755 })
  } catch (error) {
    const why = REASONS[errorCode(error) ?? ''] ?? (error instanceof Error ? error.message : String(error))
    throw new HostError(
      `the directory ${directory} of the metadata agent's socket cannot be made: ${why}. Make it, or name another --metadata-proxy-socket`,
    )
  }
}

/** By error code. */
const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'this user may not',
  EPERM: 'this user may not',
  EROFS: 'the file system is read-only',
  EEXIST: 'a file is in its place',
  ENOTDIR: 'a file is in the place of a part of its path',
}

/** @param who  listens there, for the message */
export async function clearOwnSocket(
  path: string,
  who: string,
  isPredecessor: IsPredecessor = () => false,
): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found === undefined) return
  if (!found.isSocket()) throw new HostError(`${path} is there and is no socket; name another --metadata-proxy-socket`)
  // A listener whose queue is full says EAGAIN: only a refusal proves that nobody is there.
  if ((await probe(path)) === 'ECONNREFUSED' || isHeldBy(path, isPredecessor)) rmSync(path, { force: true })
  else if (lstatSync(path, { throwIfNoEntry: false }) !== undefined)
    throw new HostError(`${path}: another ${who} listens there (${socketOwner(path)}); stop it first`)
}

/** Whether all who listen there are such. */
export function isHeldBy(path: string, isPredecessor: IsPredecessor): boolean {
  const pids = socketHolders(path)
  return pids.length > 0 && pids.every((pid) => pid !== undefined && isPredecessor(pid))
}

function probe(path: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  const socket = connect(path)
  socket.once('connect', () => resolve('connected'))
  socket.once('error', (error) => resolve('code' in error ? String(error.code) : ''))
  return promise.finally(() => socket.destroy())
}
