import { join } from 'node:path'
import type { Answered } from '../http/server.ts'
import { type NewRecord, recordedPath, recordedUserAgent } from '../observe/flight/record.ts'
import { openFlightRecorder } from '../observe/flight/recorder.ts'
import { isoClock } from '../observe/flight/words.ts'
import type { Log } from '../observe/log.ts'
import { type Metrics, openMetrics } from '../observe/metrics/metrics.ts'
import type { StateDirectory } from './state-directory.ts'
import { version } from './version.ts'

/** Keeps and counts what a daemon answers. */
export interface Flight {
  readonly metrics: Metrics
  /** For `ServerOptions`. */
  readonly onAnswered: (answered: Answered) => void
  close(): Promise<void>
}

/**
 * @param daemon    who records: `metadata-proxy`; each process of one has a file of its own
 * @param serverOf  the server's name by its id, where this process knows it
 */
export function openFlight(
  { flight }: Pick<StateDirectory, 'flight'>,
  daemon: string,
  log: Log,
  serverOf: (instance: string) => string | undefined = () => undefined,
): Flight {
  const recorder = openFlightRecorder({
    path: join(flight, `${daemon}.jsonl`),
    onProblem: (err) => log.warn({ err }, 'what guests ask cannot be recorded'),
  })
  const metrics = openMetrics({ version: version(), recorderDropped: () => recorder.dropped, now: () => new Date() })
  const clock = isoClock()
  return {
    metrics,
    onAnswered: (answered) => {
      const record = recordOf(answered, daemon, clock(), serverOf)
      recorder.record(record)
      metrics.request(record)
    },
    close: () => recorder.close(),
  }
}

function recordOf(
  { request, trace, status, bytes, milliseconds }: Answered,
  daemon: string,
  time: string,
  serverOf: (instance: string) => string | undefined,
): NewRecord {
  const { instance, within, problem, stages = {} } = trace
  // One shape for all: absent members are undefined.
  return {
    time,
    request: request.id,
    daemon,
    instance,
    server: instance === undefined ? undefined : serverOf(instance),
    within,
    from: trace.from ?? request.remoteAddress,
    method: request.method,
    path: recordedPath(request.target),
    status,
    bytes,
    stages,
    milliseconds,
    userAgent: recordedUserAgent(request.headers.get('user-agent')),
    problem,
  }
}
