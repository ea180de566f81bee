import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Done, Step } from './listening-process.ts'
import { pssKibibytes } from './process-usage.ts'

const PROGRAM = fileURLToPath(new URL('listening-process.ts', import.meta.url))

/** A process of its own, so that nothing of the benchmark is in its memory. */
export class ListeningProcess {
  readonly #child: ChildProcess = fork(PROGRAM, { execArgv: ['--expose-gc', '--disable-warning=ExperimentalWarning'] })

  /** @throws Error when the process ended instead; it has said why on standard error */
  async step(step: Step): Promise<Done & { readonly pssKibibytes: number }> {
    const done = once(this.#child, 'message')
    this.#child.send(step)
    const ended = once(this.#child, 'exit').then(([code, signal]) => {
      throw new Error(`the listening process ended with ${signal ?? `exit code ${code}`}`)
    })
    const [{ milliseconds }] = (await Promise.race([done, ended])) as [Done]
    return { milliseconds, pssKibibytes: pssKibibytes(this.#child.pid ?? 0) }
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.kill()
    await ended
  }
}
