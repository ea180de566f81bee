import { execFile } from 'node:child_process'
import { errorCode } from '../errors.ts'

/** What came of starting a program. */
export interface Attempt {
  /** undefined: it did not end in time, or by a signal. */
  readonly exitCode: number | undefined
  readonly stdout: string
  readonly stderr: string
}

/** One that hangs must not hang whoever examines it. */
const PATIENCE_MILLISECONDS = 5_000

/** A plain user's PATH lacks where Debian keeps half of the programs. */
export const SEARCH_PATH = `${process.env['PATH'] ?? '/usr/bin:/bin'}:/usr/sbin:/sbin`

/** Runs a program to its end, or for so long. @returns undefined when there is no such program */
export function attempt(
  program: string,
  args: readonly string[],
  milliseconds = PATIENCE_MILLISECONDS,
): Promise<Attempt | undefined> {
  const { promise, resolve } = Promise.withResolvers<Attempt | undefined>()
  const options = {
    env: { ...process.env, PATH: SEARCH_PATH, LC_ALL: 'C' },
    timeout: milliseconds,
    killSignal: 'SIGKILL',
  } as const
  const child = execFile(program, args, options, (error, stdout, stderr) => {
    if (errorCode(error) === 'ENOENT') resolve(undefined)
    else resolve({ exitCode: exitCodeOf(error), stdout, stderr })
  })
  child.stdin?.end()
  return promise
}

function exitCodeOf(error: Error | null): number | undefined {
  if (error === null) return 0
  return 'code' in error && typeof error.code === 'number' ? error.code : undefined
}
