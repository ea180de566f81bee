import { errorCode, HostError } from './errors.ts'
import { getrlimit } from './libc.ts'

const RLIMIT_NOFILE = 7

/** Each namespace takes a handful of file descriptors. @returns the error, with what to do when they are used up */
export function explained(error: unknown): Error {
  const cause = error instanceof Error ? error : new Error(String(error))
  if (errorCode(cause) !== 'EMFILE') return cause
  // Not from /proc/self/limits: there is no descriptor left to read it with.
  const limits = new BigUint64Array(2)
  getrlimit(RLIMIT_NOFILE, limits)
  const mend = `this process may have ${limits[0]} open files: raise LimitNOFILE= of its unit, or ulimit -Hn`
  return Object.assign(new HostError(`${cause.message}; ${mend}`, { cause }), { code: 'EMFILE' })
}
