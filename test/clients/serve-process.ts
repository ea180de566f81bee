import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { after } from 'node:test'
import { fileURLToPath } from 'node:url'
import { firstboot } from '../support/daemon.ts'

export const INVENTORY = fileURLToPath(new URL('clients.yaml', import.meta.url))

/** Each guest of the inventory at an address of its own. */
export const ADDRESSES = {
  'web-1': '127.0.0.11',
  'packed-1': '127.0.0.12',
  'bare-1': '127.0.0.13',
  'equals-1': '127.0.0.14',
}
export type ServerName = keyof typeof ADDRESSES

/** `firstboot serve` as a user starts it. */
export interface ServeProcess {
  readonly port: number
  /** The lines of standard output so far: requests, and in the end the verdict. */
  readonly printed: readonly string[]
  readonly said: readonly string[]
  /** Ends it as Ctrl-C does. @returns the exit code */
  stop(): Promise<number>
  /** @returns the exit code, once it ends by itself */
  readonly ended: Promise<number>
}

/** Starts it on a free port. Resolves when it listens. @throws with what it said when it ends before that */
export async function startServe(...options: readonly string[]): Promise<ServeProcess> {
  const { process, printed, said, ended } = launch('-f', INVENTORY, '--listen', '127.0.0.1:0', ...options)
  const { promise: port, resolve, reject } = Promise.withResolvers<number>()
  process.stderr.on('data', () => {
    const found = /listens on http:\/\/127\.0\.0\.1:(\d+)/.exec(said.join('\n'))
    if (found) resolve(Number(found[1]))
  })
  void ended.then((code) => reject(new Error(`firstboot serve ended (${code}):\n${said.join('\n')}`)))
  return {
    port: await port,
    printed,
    said,
    ended,
    stop: () => {
      process.kill('SIGINT')
      return ended
    },
  }
}

/** The same inventory, each guest told apart by its address. */
export function startServeForAll(...options: readonly string[]): Promise<ServeProcess> {
  const guests = Object.entries(ADDRESSES).flatMap(([server, address]) => ['--guest', `${address}=${server}`])
  return startServe(...guests, ...options)
}

/** Runs a command line that is to end by itself. */
export async function runServe(
  ...options: readonly string[]
): Promise<{ code: number; said: string; printed: string }> {
  const { ended, printed, said } = launch(...options)
  const code = await ended
  return { code, said: said.join('\n'), printed: printed.join('\n') }
}

/** Those that a failing test has left behind would keep the test's process from ending. */
const running = new Set<ChildProcess>()
after(() => {
  for (const child of running) child.kill('SIGKILL')
})

function launch(...options: readonly string[]) {
  const [program, ...args] = firstboot('serve', ...options)
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const printed: string[] = []
  const said: string[] = []
  createInterface({ input: child.stdout }).on('line', (line) => printed.push(line))
  createInterface({ input: child.stderr }).on('line', (line) => said.push(line))
  running.add(child)
  const ended = once(child, 'close').then(([code, signal]) => {
    running.delete(child)
    return (code ?? signal) as number
  })
  return { process: child, printed, said, ended }
}
