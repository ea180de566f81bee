import { fileURLToPath } from 'node:url'
import { runProgram } from '../src/host/programs.ts'
import { inCore, inNetns } from './placing.ts'

/** What wrk saw. Latencies in microseconds, from the request sent to the last byte of the answer: the making of a
 *  connection comes before that. */
export interface Load {
  readonly requests: number
  readonly seconds: number
  readonly p50: number
  readonly p99: number
}

export interface LoadOptions {
  readonly netns: string
  readonly core: number
  readonly url: string
  readonly connections: number
  /** Whole seconds: wrk knows no others. */
  readonly seconds: number
  /** A new connection for each request. */
  readonly isFresh: boolean
}

const SUMMARY = fileURLToPath(new URL('wrk-summary.lua', import.meta.url))

/** Asks as fast as the answers come, each connection one request after the other. @throws Error when one went wrong */
export async function load({ netns, core, url, connections, seconds, isFresh }: LoadOptions): Promise<Load> {
  const fresh = isFresh ? ['-H', 'Connection: close'] : []
  const wrk = ['wrk', '-t', '1', '-c', `${connections}`, '-d', `${seconds}s`, '-s', SUMMARY, ...fresh, url]
  const [program, ...args] = inNetns(netns, inCore(core, wrk))
  const { stdout } = await runProgram(program, args)
  const seen = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Load & { readonly errors: number }
  if (seen.errors > 0 || seen.requests === 0)
    throw new Error(`${seen.errors} of ${seen.requests} requests for ${url} went wrong`)
  return seen
}
