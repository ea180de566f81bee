import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { firstboot } from './daemon.ts'

/** A daemon of ours that needs no machine of its own. */
export interface ServiceProcess {
  readonly pid: number
  /** Everything it has said, logs included. */
  readonly said: () => string
  /** Resolves at the first line that holds `text`. @throws when it ends before */
  readonly saying: (text: string) => Promise<void>
  readonly kill: (signal: NodeJS.Signals) => void
  /** The exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>
}

const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** @param sockets  descriptors it finds as 3 and up */
export function startService(
  command: readonly string[],
  env: NodeJS.ProcessEnv = {},
  sockets: readonly number[] = [],
): ServiceProcess {
  const [program = '', ...args] = command
  const child = spawn(program, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe', ...sockets],
  })
  running.add(child)
  const ended = once(child, 'exit').then(([code, signal]) => {
    running.delete(child)
    return (code ?? signal) as number | NodeJS.Signals
  })
  const lines: string[] = []
  const waiting = new Set<() => void>()
  createInterface({ input: child.stderr as NodeJS.ReadableStream }).on('line', (line) => {
    lines.push(line)
    for (const look of waiting) look()
  })
  return {
    pid: child.pid ?? 0,
    said: () => lines.join('\n'),
    saying: (text) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const look = () => lines.some((line) => line.includes(text)) && resolve()
      waiting.add(look)
      look()
      void ended.then((how) => reject(new Error(`ended (${how}) without saying "${text}":\n${lines.join('\n')}`)))
      return promise.finally(() => waiting.delete(look))
    },
    kill: (signal) => void child.kill(signal),
    ended,
  }
}

/** Runs one command of ours to its end. @throws with what it said */
export function runFirstboot(...args: readonly string[]): string {
  const [program, ...rest] = firstboot(...args)
  return execFileSync(program, rest, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

/** Processes that a process has started and that live. */
export function childrenOf(pid: number): readonly number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'ascii').trim()
    return text === '' ? [] : text.split(' ').map(Number)
  } catch {
    return []
  }
}
