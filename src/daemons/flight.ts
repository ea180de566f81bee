import { join } from 'node:path'
import type { Answered } from '../http/server.ts'
import { type FlightRecord, recordedPath, recordedUserAgent } from '../observe/flight/record.ts'
import { openFlightRecorder } from '../observe/flight/recorder.ts'
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

/** ISO 8601 of now, worked out once a millisecond. */
function isoClock(): () => string {
  let at = 0
  let text = ''
  return () => {
    const now = Date.now()
    if (now !== at) {
      at = now
      text = new Date(now).toISOString()
    }
    return text
  }
}

function recordOf(
  { request, trace, status, bytes, milliseconds }: Answered,
  daemon: string,
  time: string,
  serverOf: (instance: string) => string | undefined,
): FlightRecord {
  const { instance, within, problem, stages } = trace
  const server = instance === undefined ? undefined : serverOf(instance)
  const userAgent = recordedUserAgent(request.headers.get('user-agent'))
  return {
    time,
    request: request.id,
    daemon,
    from: trace.from ?? request.remoteAddress,
    method: request.method,
    path: recordedPath(request.target),
    status,
    bytes,
    stages,
    milliseconds,
    ...(instance === undefined ? undefined : { instance }),
    ...(server === undefined ? undefined : { server }),
    ...(within === undefined ? undefined : { within }),
    ...(userAgent === undefined ? undefined : { userAgent }),
    ...(problem === undefined ? undefined : { problem }),
  }
}
