import type { Duplex } from 'node:stream'
import type { Clock } from './clock.ts'
import { RequestRefused } from './errors.ts'
import type { JsonLimits } from './json-stream.ts'
import type { Locks } from './locks.ts'
import { createMonitor, type Monitor, type MonitorMethod } from './monitor.ts'
import { createReplica } from './replica.ts'
import { openRpc, type Rpc } from './rpc.ts'
import { parseSchema } from './schema.ts'
import { DATABASES, type Progress, Unsuitable, whyUnsuitable } from './server-database.ts'

export interface SessionOptions {
  readonly clock: Clock
  readonly limits: JsonLimits
  readonly probeMilliseconds: number
  readonly database: string
  readonly leaderOnly: boolean
  readonly monitor: Monitor
  readonly locks: Locks
  readonly seen: { progress: Progress | undefined }
  /** The rows in memory are those of the server. */
  readonly onSynchronized: (rpc: Rpc, method: MonitorMethod) => void
  readonly signal: AbortSignal
}

/** One connection, from the handshake to its end. @returns why it ended */
export async function runSession(stream: Duplex, options: SessionOptions): Promise<Error> {
  const { database, monitor, locks, signal } = options
  const server = watchServer(options)
  const rpc = openRpc(stream, {
    clock: options.clock,
    probeMilliseconds: options.probeMilliseconds,
    limits: options.limits,
    onNotification(method, params) {
      locks.receive(method, params)
      server.receive(method, params)
      if (monitor.receive(method, params) === 'canceled') run(synchronize)
    },
  })
  const abort = () => rpc.end(signal.reason)
  signal.addEventListener('abort', abort)
  if (signal.aborted) abort()

  async function synchronize(): Promise<void> {
    const schema = await rpc.call('get_schema', [database], parseSchema)
    options.onSynchronized(rpc, await monitor.start(rpc, schema))
  }

  function run(step: () => Promise<void>): void {
    step().catch((error) => rpc.end(error))
  }

  run(async () => {
    await server.start(rpc)
    await synchronize()
    await locks.start(rpc)
  })
  const reason = await rpc.ended
  signal.removeEventListener('abort', abort)
  monitor.stop()
  locks.stop()
  return reason
}

interface ServerWatch {
  /** @throws Unsuitable, Disconnected */
  start(rpc: Rpc): Promise<void>
  receive(method: string, params: readonly unknown[]): void
}

/** Looks at what the server says of itself, before we believe anything else and as long as the connection lasts. */
function watchServer({ database, leaderOnly, seen }: SessionOptions): ServerWatch {
  const replica = createReplica([DATABASES])
  const monitor = createMonitor({ database: '_Server', tables: [DATABASES], replica, onChanges: check })

  function check(): void {
    const row = replica.all(DATABASES).next().value
    const why = whyUnsuitable(row, { database, leaderOnly, seen: seen.progress })
    if (why !== undefined) throw new Unsuitable(why)
    if (row?.index !== undefined) seen.progress = { cluster: row.cid, index: row.index }
  }

  return {
    async start(rpc) {
      const schema = await unlessRefused(rpc.call('get_schema', ['_Server'], parseSchema))
      if (schema === undefined) return // older than 2.9: it has no clusters
      // Without it, the server would close the connection at every change of a schema.
      await unlessRefused(rpc.call('set_db_change_aware', [true], () => {}))
      void monitor.setCondition(DATABASES, [['name', '==', database]])
      await monitor.start(rpc, schema)
      check()
    },
    receive: (method, params) => monitor.receive(method, params),
  }
}

async function unlessRefused<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call
  } catch (error) {
    if (error instanceof RequestRefused) return undefined
    throw error
  }
}
