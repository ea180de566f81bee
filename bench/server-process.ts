import { spawn } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import { endProcess, processId } from '../src/host/process.ts'
import { lastLines } from '../src/host/programs.ts'

/** A server under measurement. */
export interface ServerProcess {
  readonly pid: number
  /** @throws Error when it ends before that, with what it said, or after 30 s */
  until(what: string, holds: () => boolean): Promise<void>
  stop(): Promise<void>
}

const PATIENCE_MILLISECONDS = 30_000
const POLL_MILLISECONDS = 50

/** @param command  must become the server itself (exec): it is measured under the pid it has now */
export function startServer([program, ...args]: readonly [string, ...string[]]): ServerProcess {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  let ended: string | undefined
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-4096)
  })
  child.once('error', (cause) => {
    ended = cause.message
  })
  child.once('exit', (code, signal) => {
    ended = `it ended with ${signal ?? `exit code ${code}`}`
  })
  const pid = child.pid ?? 0
  return {
    pid,
    async until(what, holds) {
      const deadline = performance.now() + PATIENCE_MILLISECONDS
      const failed = (why: string) => new Error(`${program} ${args.join(' ')}: ${what}: ${why}: ${lastLines(said)}`)
      while (!holds()) {
        if (ended !== undefined) throw failed(ended)
        if (performance.now() > deadline) throw failed(`not within ${PATIENCE_MILLISECONDS} ms`)
        await pause(POLL_MILLISECONDS)
      }
    },
    async stop() {
      const identity = processId(pid)
      if (identity) await endProcess(identity)
    },
  }
}
