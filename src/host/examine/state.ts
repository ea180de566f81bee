import { accessSync, constants, existsSync, lstatSync, readdirSync, readFileSync, statfsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { processId } from '../process.ts'
import { type Known, known } from './known.ts'

/** What was found of a state directory. */
export interface StateFacts {
  readonly path: string
  readonly exists: boolean
  /** Of the directory, or of what it would be made in. */
  readonly isWritable: boolean
  readonly disk: Known<{ readonly freeBytes: number; readonly freeFiles: number }>
  /** The pid that is written in the lock and lives. */
  readonly holder: number | undefined
  /** Sockets on which nobody listens. */
  readonly staleSockets: Known<readonly string[]>
  /** When its youngest file was written, milliseconds since 1970. */
  readonly newest: number | undefined
  /** Permission bits of what only its owner should read, by path. */
  readonly secretModes: ReadonlyMap<string, number>
}

/** @param secrets  names of files that only their owner should read */
export function stateFacts(path: string, secrets: readonly string[]): StateFacts {
  const nearest = existing(path)
  return {
    path,
    exists: existsSync(path),
    isWritable: isWritable(nearest),
    disk: known(`the space of ${nearest}`, () => {
      const { bavail, bsize, ffree, files } = statfsSync(nearest)
      // File systems without a number of files of their own, as btrfs, say 0 of 0.
      return { freeBytes: bavail * bsize, freeFiles: files === 0 ? Number.POSITIVE_INFINITY : ffree }
    }),
    holder: lockHolder(path),
    staleSockets: known(`${path}/run`, () => staleSockets(join(path, 'run'))),
    newest: newest(path),
    secretModes: new Map(
      secrets.flatMap((name) => {
        const stat = statSync(join(path, name), { throwIfNoEntry: false })
        return stat === undefined ? [] : [[join(path, name), stat.mode & 0o777]]
      }),
    ),
  }
}

/** Who runs on a state directory, as its lock says. */
export function lockHolder(path: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(join(path, 'lock'), 'utf8'), 10)
    return Number.isNaN(pid) || processId(pid) === undefined ? undefined : pid
  } catch {
    return undefined
  }
}

function existing(path: string): string {
  return existsSync(path) || path === dirname(path) ? path : existing(dirname(path))
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK | constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** SO_ACCEPTCON in the flags of /proc/net/unix. */
const LISTENING = '00010000'

/** By the kernel's list: to connect would be to talk to a daemon that takes us for another one. */
function staleSockets(directory: string): readonly string[] {
  if (!existsSync(directory)) return []
  const listening = new Set(
    readFileSync('/proc/net/unix', 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter(([, , , flags]) => flags === LISTENING)
      .map(([, , , , , , , path]) => path),
  )
  return readdirSync(directory)
    .map((name) => join(directory, name))
    .filter((path) => lstatSync(path, { throwIfNoEntry: false })?.isSocket() && !listening.has(path))
}

function newest(path: string): number | undefined {
  try {
    const times = readdirSync(path).map((name) => lstatSync(join(path, name), { throwIfNoEntry: false })?.mtimeMs ?? 0)
    return times.length === 0 ? undefined : Math.max(...times)
  } catch {
    return undefined
  }
}
