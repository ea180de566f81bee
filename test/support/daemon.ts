import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { TestMachine } from './test-machine.ts'

const FIRSTBOOT = fileURLToPath(new URL('../../bin/firstboot.js', import.meta.url))

/** The command line of this clone's `firstboot`. */
export function firstboot(...args: readonly string[]): [string, ...string[]] {
  return [process.execPath, FIRSTBOOT, ...args]
}

/** A daemon of ours on a test machine. */
export interface Daemon {
  /** Everything it has said, logs included. */
  readonly said: () => string
  /** Resolves at the first line that holds `text`. @throws when it ends before */
  readonly saying: (text: string) => Promise<void>
  /** Sends a signal that ends nothing to the daemon itself. */
  readonly signal: (signal: NodeJS.Signals) => void
  /** Sends the signal to the daemon itself. @returns the exit code, or the signal that ended it */
  readonly end: (signal?: NodeJS.Signals) => Promise<number | NodeJS.Signals>
}

/** Starts a daemon. Nothing is awaited but its start. */
export function startDaemon(machine: TestMachine, ...args: readonly string[]): Daemon {
  return startService(machine, firstboot(...args))
}

/** The same by the whole of its command line. */
export function startService(machine: TestMachine, command: readonly [string, ...string[]]): Daemon {
  const child = machine.start(command, { stdio: ['ignore', 'inherit', 'pipe'] })
  const ended = once(child, 'exit').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals)
  const lines: string[] = []
  const waiting = new Set<() => void>()
  createInterface({ input: child.stderr ?? process.stdin }).on('line', (line) => {
    lines.push(line)
    for (const look of waiting) look()
  })
  const said = () => lines.join('\n')
  const send = (signal: NodeJS.Signals) => {
    const pid = startedBelow(child.pid)
    if (pid !== undefined) process.kill(pid, signal)
  }
  return {
    said,
    saying: (text) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const look = () => lines.some((line) => line.includes(text)) && resolve()
      waiting.add(look)
      look()
      void ended.then((how) =>
        reject(new Error(`${command.join(' ')} ended (${how}) without saying "${text}":\n${said()}`)),
      )
      return promise.finally(() => waiting.delete(look))
    },
    signal: send,
    end: (signal = 'SIGTERM') => {
      send(signal)
      return ended
    },
  }
}

/** nsenter stays above what it starts, and would not pass a signal on. @returns the process that is meant */
export function startedBelow(nsenter: number | undefined): number | undefined {
  try {
    const [child] = readFileSync(`/proc/${nsenter}/task/${nsenter}/children`, 'ascii').split(' ')
    return child ? Number(child) : undefined
  } catch {
    return undefined // it has ended already
  }
}
