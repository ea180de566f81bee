import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ownCommand } from '../src/daemons/own-command.ts'
import { runProgram } from '../src/host/programs.ts'
import { GUESTS, INVENTORY, RANGE } from './chain-inventory.ts'
import { cpuMicroseconds } from './process-usage.ts'
import type { ServerProcess } from './server-process.ts'
import type { Load } from './wrk.ts'

/** Many guests at once on the machine of the benchmark, each with an address of its own, and what they cost. */

export const PATH = '/openstack/latest/meta_data.json'
export const SECONDS = 2
const CLIENTS = fileURLToPath(new URL('chain-clients.lua', import.meta.url))

export const MODES = [
  { mode: 'keep-alive', isFresh: false },
  { mode: 'new connection', isFresh: true },
] as const

/** One way a request can take, and who works on it. */
export interface Chain {
  readonly name: string
  readonly port: number
  readonly processes: readonly ServerProcess[]
}

export interface ChainSample {
  /** Of all processes of the chain together, in microseconds. */
  readonly cpuPerRequest: number
  readonly load: Load
}

/** Makes every guest's address one of this machine, and writes the guests' records down in `state`. */
export async function prepareGuests(directory: string, state: string): Promise<void> {
  await runProgram('ip', ['link', 'set', 'lo', 'up'])
  await runProgram('ip', ['route', 'replace', 'local', RANGE, 'dev', 'lo'])
  const inventory = join(directory, 'inventory.json')
  writeFileSync(inventory, INVENTORY)
  const [program, ...apply] = ownCommand('apply', '-f', inventory, '--state-dir', state)
  await runProgram(program, apply)
}

export async function sampleOf({ port, processes }: Chain, isFresh: boolean): Promise<ChainSample> {
  const used = () =>
    processes.flatMap(({ pid }) => [pid, ...childrenOf(pid)]).reduce((sum, pid) => sum + cpuMicroseconds(pid), 0)
  const before = used()
  const load = await guests(port, isFresh)
  return { cpuPerRequest: (used() - before) / load.requests, load }
}

async function guests(port: number, isFresh: boolean): Promise<Load> {
  const fresh = isFresh ? ['-H', 'Connection: close'] : []
  const many = ['-t', `${GUESTS}`, '-c', `${GUESTS}`, '-d', `${SECONDS}s`, '--timeout', '20s']
  const { stdout } = await runProgram('wrk', [...many, '-s', CLIENTS, ...fresh, `http://10.9.0.1:${port}${PATH}`])
  const seen = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Load & { readonly errors: number }
  if (seen.errors > 0 || seen.requests === 0)
    throw new Error(`${seen.errors} of ${seen.requests} requests to port ${port} went wrong`)
  return seen
}

function childrenOf(pid: number): readonly number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'ascii').trim()
  return text === '' ? [] : text.split(' ').map(Number)
}

export function isListening(port: number): boolean {
  const hex = port.toString(16).toUpperCase().padStart(4, '0')
  return readFileSync('/proc/net/tcp', 'ascii')
    .split('\n')
    .some((line) => line.includes(`:${hex} 00000000:0000 0A`))
}
