/** One request as the flight recorder keeps it: a JSON line. Nothing a guest sent but its method, path and user agent, and
 *  nothing it was sent but how much: no header, no body, no secret. */
export interface FlightRecord {
  /** When it was answered, ISO 8601 with milliseconds. */
  readonly time: string
  /** Follows the request from hop to hop: the same in the records of each daemon it went through. */
  readonly request: string
  /** Who wrote this: `metadata-proxy`, `metadata-agent`, `metadata-api`. */
  readonly daemon: string
  /** The instance it was answered for; undefined when nobody could tell. */
  readonly instance?: string
  readonly server?: string
  /** `network <id>` or `router <id>`: where the proxy's socket is. */
  readonly within?: string
  /** The guest's address, as the socket knew it. */
  readonly from: string
  readonly method: string
  /** Undecoded, without a query, cut at 256 characters. */
  readonly path: string
  readonly status: number
  /** Of the body. */
  readonly bytes: number
  /** Milliseconds of each stage in the order they were reached, and of all. */
  readonly stages: Readonly<Record<string, number>>
  readonly milliseconds: number
  /** Cut at 120 characters. */
  readonly userAgent?: string
  /** Our name for what went wrong: `instance-unknown`. */
  readonly problem?: string
}

const PATH_CHARACTERS = 256
const USER_AGENT_CHARACTERS = 120

export function recordedPath(target: string): string {
  const query = target.indexOf('?')
  return (query === -1 ? target : target.slice(0, query)).slice(0, PATH_CHARACTERS)
}

export function recordedUserAgent(text: string | undefined): string | undefined {
  return text?.slice(0, USER_AGENT_CHARACTERS)
}

/** The record as its line. Put together by hand, since JSON.stringify takes twice as long: all but what a guest sent is of our
 *  own making, and needs no escapes. */
export function recordLine(record: FlightRecord): string {
  const { time, request, daemon, instance, server, within, from, method, path, status, bytes } = record
  const { stages, milliseconds, userAgent, problem } = record
  let times = ''
  for (const stage in stages) times += `${times === '' ? '' : ','}"${stage}":${rounded(stages[stage] ?? 0)}`
  return `{"time":"${time}","request":"${request}","daemon":"${daemon}"${plain('instance', instance)}${escaped('server', server)}${plain('within', within)},"from":"${from}","method":${JSON.stringify(method)},"path":${JSON.stringify(path)},"status":${status},"bytes":${bytes},"stages":{${times}},"milliseconds":${rounded(milliseconds)}${escaped('userAgent', userAgent)}${plain('problem', problem)}}\n`
}

function plain(name: string, value: string | undefined): string {
  return value === undefined ? '' : `,"${name}":"${value}"`
}

function escaped(name: string, value: string | undefined): string {
  return value === undefined ? '' : `,"${name}":${JSON.stringify(value)}`
}

/** To microseconds. */
function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000
}

/** @returns undefined for a line that is none: the last of a process that was killed while it wrote */
export function parseRecord(line: string): FlightRecord | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return isRecord(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isRecord(value: unknown): value is FlightRecord {
  return (
    typeof value === 'object' &&
    value !== null &&
    'time' in value &&
    typeof value.time === 'string' &&
    'path' in value &&
    typeof value.path === 'string' &&
    'status' in value &&
    typeof value.status === 'number'
  )
}
