import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { startError } from './programs.ts'

/**
 * Runs a program on our own standard input and output, as a shell would.
 * @param env  its whole environment
 * @returns its exit code; 128 and the signal's number when a signal ended it
 * @throws HostError when it cannot be started
 */
export function runInteractive(
  [program, ...args]: readonly [string, ...string[]],
  env: NodeJS.ProcessEnv = process.env,
): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const child = spawn(program, args, { stdio: 'inherit', env })
  // At a terminal Ctrl-C reaches the program too, and what it means is the program's matter.
  const ignore = () => undefined
  const forward = () => child.kill('SIGTERM')
  process.on('SIGINT', ignore).on('SIGTERM', forward)
  child.once('error', (cause) => reject(startError(program, cause)))
  child.once('exit', (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)))
  return promise.finally(() => process.off('SIGINT', ignore).off('SIGTERM', forward))
}
