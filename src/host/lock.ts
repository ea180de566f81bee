import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs'
import { errorCode, HostError } from './errors.ts'
import { checked, flock } from './libc.ts'

const LOCK_EX_NB = 2 | 4 // flock(2)

export class LockTaken extends HostError {
  /** Of the process that has it; NaN while that one has not yet written it. */
  readonly pid: number
  constructor(path: string, pid: number) {
    super(`${path} is locked by process ${Number.isNaN(pid) ? 'that is just starting' : pid}`)
    this.pid = pid
  }
}

/**
 * Takes a lock that ends with this process, however it ends. The file stays and holds the pid; removing it would let two
 * processes lock two files of one name.
 * @returns what gives it back
 * @throws LockTaken when another process has it; HostError when the file cannot be written
 */
export function acquireLock(path: string): () => void {
  const fd = openLockFile(path)
  try {
    checked(flock(fd, LOCK_EX_NB), `locking ${path}`)
    ftruncateSync(fd)
    writeSync(fd, `${process.pid}\n`, 0)
    return () => closeSync(fd)
  } catch (cause) {
    closeSync(fd)
    if (errorCode(cause) === 'EAGAIN') throw new LockTaken(path, Number.parseInt(readFileSync(path, 'utf8'), 10))
    throw new HostError(`taking the lock ${path}: ${String(cause)}`, { cause })
  }
}

function openLockFile(path: string): number {
  try {
    return openSync(path, 'a+', 0o644)
  } catch (cause) {
    throw new HostError(`taking the lock ${path}: ${String(cause)}`, { cause })
  }
}
