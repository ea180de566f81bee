import { spawn } from 'node:child_process'
import { HostError } from './errors.ts'
import { isAlive, type ProcessId, processId } from './process.ts'
import { startError } from './programs.ts'

/** A process of our own program that outlives us. */
export interface Detached {
  readonly id: ProcessId
  isAlive(): boolean
  /** Calls back once when it ends while we are there to see it. */
  onExit(listener: (how: string) => void): void
}

/**
 * Starts a program in a session of its own, on our standard error: it lives on when we end, and Ctrl-C at our terminal
 * does not reach it. Resolves when it has written anything to its standard output, by which it says that it is ready.
 * @throws HostError when it ends before
 */
export async function startDetached(
  [program, ...args]: readonly [string, ...string[]],
  env: NodeJS.ProcessEnv,
): Promise<Detached> {
  const child = spawn(program, args, { env, cwd: '/', detached: true, stdio: ['ignore', 'pipe', 'inherit'] })
  const { promise: exited, resolve } = Promise.withResolvers<string>()
  child.once('error', (cause) => resolve(startError(program, cause).message))
  child.once('exit', (code, signal) => resolve(`it ended with ${signal ?? `exit code ${code}`}`))
  const { stdout } = child
  const ready = new Promise<undefined>((done) => stdout?.once('data', () => done(undefined)))
  const failure = await Promise.race([ready, exited])
  stdout?.destroy()
  const id = child.pid === undefined ? undefined : processId(child.pid)
  if (failure !== undefined || id === undefined) throw new HostError(`${program}: ${failure ?? 'it ended at once'}`)
  child.unref()
  return {
    id,
    isAlive: () => isAlive(id),
    onExit: (listener) => void exited.then(listener),
  }
}

/** The command without any capability, and without a way to one: neither a set-user-id program nor a file's capabilities
 *  give it any. It stays the user we are, since records and sockets are that user's. */
export function withoutCapabilities(command: readonly string[]): [string, ...string[]] {
  const none = ['--bounding-set=-all', '--inh-caps=-all', '--ambient-caps=-all', '--no-new-privs']
  return ['setpriv', ...none, '--', ...command]
}
