import { existsSync } from 'node:fs'
import { chmod, mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { errorCode } from '../host/errors.ts'
import { openHttpClient } from '../http/client.ts'
import { Headers } from '../http/messages.ts'
import { type Serving, serve } from '../http/server.ts'
import { wholeBody } from '../http/whole-body.ts'
import type { Condition } from '../observe/health.ts'
import { healthPages } from '../observe/health-pages.ts'
import type { Log } from '../observe/log.ts'
import { mergedPages, type Page } from '../observe/metrics/merge.ts'
import type { Metrics } from '../observe/metrics/metrics.ts'
import { hopServerOptions } from './guest-server.ts'
import type { StateDirectory } from './state-directory.ts'

/** `/metrics`, `/healthz` and `/readyz` of a process on a unix socket of its own, and of all processes of the host on a
 *  TCP port where one is asked for. */
export interface OperatorPages {
  close(): Promise<void>
}

export interface OperatorPagesGiven {
  readonly state: Pick<StateDirectory, 'pages'>
  /** `metadata-agent` */
  readonly daemon: string
  readonly metrics: Pick<Metrics, 'page'>
  readonly ready: readonly Condition[]
  /** `127.0.0.1:9464`; empty for none. */
  readonly listen: string
  /** Other processes of this daemon listen there too: its workers, and their successors before those end. Whichever is
   *  asked answers for all. */
  readonly isShared?: boolean
  readonly log: Log
}

/** How long another process may take to tell its figures; one that hangs is left out. */
const PATIENCE_MILLISECONDS = 2_000

export async function openOperatorPages(given: OperatorPagesGiven): Promise<OperatorPages> {
  const { state, daemon, metrics, ready, listen, log } = given
  await mkdir(state.pages, { recursive: true, mode: 0o700 })
  await sweep(state.pages)
  const path = join(state.pages, `${daemon}.${process.pid}`)
  await rm(path, { force: true })
  const own = await serve(
    healthPages({ metrics: () => metrics.page(), alive: [], ready }),
    { path },
    hopServerOptions(log),
  )
  await chmod(path, 0o600)
  const all = listen === '' ? undefined : await openAll(given, path)
  return {
    close: async () => {
      await Promise.all([own.close(0), all?.close(0)])
      await rm(path, { force: true })
    },
  }
}

/** What killed processes have left. */
async function sweep(directory: string): Promise<void> {
  const left = (await readdir(directory)).filter(
    (name) => !existsSync(`/proc/${name.slice(name.lastIndexOf('.') + 1)}`),
  )
  await Promise.all(left.map((name) => rm(join(directory, name), { force: true })))
}

async function openAll(
  { state, daemon, metrics, ready, listen, isShared = false, log }: OperatorPagesGiven,
  own: string,
): Promise<Serving> {
  const page = async () => {
    const others = (await readdir(state.pages)).filter((name) => join(state.pages, name) !== own)
    const pages = await Promise.all(others.map((name) => pageOf(state.pages, name)))
    return mergedPages([{ daemon, text: metrics.page() }, ...pages.flatMap((each) => each ?? [])])
  }
  return listening(listen, () =>
    serve(
      healthPages({ metrics: page, alive: [], ready }),
      { ...whereOf(listen), reusePort: isShared },
      hopServerOptions(log),
    ),
  )
}

/** Listens there for a moment, as workers will, who could only end and be started again. @throws Error when it is not theirs
 *  to have */
export async function claimMetricsPort(listen: string): Promise<void> {
  if (listen === '') return
  const notYet = { status: 503, headers: [], body: new Uint8Array() }
  const serving = await listening(listen, () =>
    serve(async () => notYet, { ...whereOf(listen), reusePort: true }, { onError: () => notYet }),
  )
  await serving.close(0)
}

/** @throws Error that names the option */
async function listening(listen: string, open: () => Promise<Serving>): Promise<Serving> {
  try {
    return await open()
  } catch (error) {
    const why = REASONS[errorCode(error) ?? '']
    if (why === undefined) throw error
    throw new Error(`metrics_listen: ${listen} ${why}`)
  }
}

/** By error code. */
const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is taken by another program (ss -ltnp names it); choose another port',
  EADDRNOTAVAIL: 'is no address of this machine',
  EACCES: 'is a port for root; choose one above 1023',
}

function whereOf(listen: string): { readonly host: string; readonly port: number } {
  const [, host = '', port = ''] = /^(?:(.+):)?(\d+)$/.exec(listen) ?? []
  if (port === '')
    throw new Error(`metrics_listen: ${JSON.stringify(listen)} is no ADDRESS:PORT, such as 127.0.0.1:9464`)
  return { host: host.replace(/^\[|\]$/g, '') || '127.0.0.1', port: Number(port) }
}

/** @returns undefined for a process that is gone or hangs */
async function pageOf(directory: string, name: string): Promise<Page | undefined> {
  const limits = { connect: PATIENCE_MILLISECONDS, answer: PATIENCE_MILLISECONDS, hold: 0 }
  const client = openHttpClient([{ socketPath: join(directory, name) }], { limits })
  try {
    const asked = { method: 'GET', target: '/metrics', headers: new Headers([]), body: new Uint8Array() }
    const text = Buffer.from(await wholeBody(await client.send(asked))).toString('utf8')
    return { daemon: name.replace(/\.\d+$/, ''), text }
  } catch {
    return undefined
  } finally {
    await client.close()
  }
}
