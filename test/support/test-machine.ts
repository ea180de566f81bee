import { type ChildProcess, execFileSync, type SpawnOptions, spawn } from 'node:child_process'
import { enterSandbox, sandboxEntry } from '../../src/host/sandbox.ts'

/** A machine of its own for one test file: a sandbox in which nothing runs yet. Two files that each run a `firstboot up`
 *  would otherwise sweep each other's namespaces. Gone when the test process is, whatever ends that. */
export interface TestMachine {
  /** Its process 1, as this process sees it: by it its namespaces are found. */
  readonly pid: number
  /** @returns what the program wrote @throws with its exit code and what it said on standard error */
  run(...command: readonly [string, ...string[]]): string
  start(command: readonly [string, ...string[]], options?: SpawnOptions): ChildProcess
  stop(): Promise<void>
}

export async function openTestMachine(): Promise<TestMachine> {
  const stopping = new AbortController()
  const { promise: started, resolve, reject } = Promise.withResolvers<number>()
  const ended = enterSandbox(['sleep', 'infinity'], { signal: stopping.signal, onStarted: resolve })
  ended.catch(reject)
  const pid = await started
  const [nsenter = '', ...entry] = sandboxEntry(pid)
  return {
    pid,
    run: (...command) =>
      execFileSync(nsenter, [...entry, ...command], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }),
    start: (command, options = {}) => spawn(nsenter, [...entry, ...command], options),
    async stop() {
      stopping.abort()
      await ended
    },
  }
}
