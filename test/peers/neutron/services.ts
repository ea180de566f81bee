import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { eventually } from '../../support/eventually.ts'

/** One daemon of the four: ours or the field's. */
export interface Service {
  stop(): Promise<void>
}

/** Starts a daemon and waits until it takes connections. @param log  the file for what it says */
export async function startDaemon(
  command: readonly string[],
  log: string,
  listens: { readonly path: string } | { readonly port: number },
): Promise<Service> {
  const [program = '', ...args] = command
  const output = openSync(log, 'a')
  const child = spawn(program, args, { stdio: ['ignore', output, output] })
  const ended = once(child, 'exit')
  let open = false
  const end = performance.now() + 90_000
  while (!open) {
    if (child.exitCode !== null || performance.now() > end)
      throw new Error(`${command.join(' ')} does not listen; see ${log}`)
    open = await takesConnections(listens)
  }
  return { stop: () => stop(child, ended) }
}

async function stop(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 15_000)
  await ended
  clearTimeout(timer)
}

async function takesConnections(where: { readonly path: string } | { readonly port: number }): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect('port' in where ? { ...where, host: '127.0.0.1' } : where)
  socket.once('connect', () => resolve(true)).once('error', () => setTimeout(resolve, 100, false))
  const is = await promise
  socket.destroy()
  return is
}

/** Waits until nobody takes connections there. */
export async function untilFree(port: number): Promise<void> {
  let free = false
  void (async () => {
    while (!free) free = !(await takesConnections({ port }))
  })()
  await eventually(`port ${port} is free`, () => free)
}

/** Where the peer of Neutron keeps what it made. */
export function neutronFiles(directory: string) {
  return {
    config: join(directory, 'etc/neutron.conf'),
    agentSocket: join(directory, 'run/metadata_proxy'),
    agentPid: join(directory, 'pid/metadata'),
  }
}
