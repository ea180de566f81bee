import { decimal, quoted } from './words.ts'

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

type Absent = 'instance' | 'server' | 'within' | 'userAgent' | 'problem'

/** One that is to be written. What is not known may be there as undefined, so that all have the same members. */
export type NewRecord = Omit<FlightRecord, Absent> & { readonly [K in Absent]?: string | undefined }

const PATH_CHARACTERS = 256
const USER_AGENT_CHARACTERS = 120

export function recordedPath(target: string): string {
  const query = target.indexOf('?')
  return (query === -1 ? target : target.slice(0, query)).slice(0, PATH_CHARACTERS)
}

export function recordedUserAgent(text: string | undefined): string | undefined {
  return text?.slice(0, USER_AGENT_CHARACTERS)
}

/** The record as its line, put together by hand: all but what a guest sent is of our own making, and needs no escapes. */
export function recordLine(record: NewRecord, asker = askerMembers(record)): string {
  const { time, request, method, path, status, bytes, stages, milliseconds, problem } = record
  let times = ''
  for (const stage in stages) times += `${times === '' ? '' : ','}"${stage}":${decimal(stages[stage] ?? 0)}`
  return `{"time":"${time}","request":"${request}",${asker},"method":${quoted(method)},"path":${quoted(path)},"status":${status},"bytes":${bytes},"stages":{${times}},"milliseconds":${decimal(milliseconds)}${problem === undefined ? '' : `,"problem":"${problem}"`}}\n`
}

/** The members of a line that are the same from one request of a guest to its next. */
type Asker = Pick<NewRecord, 'daemon' | 'instance' | 'server' | 'within' | 'from' | 'userAgent'>

function askerMembers({ daemon, instance, server, within, from, userAgent }: Asker): string {
  return [
    `"daemon":"${daemon}"`,
    ...(instance === undefined ? [] : [`"instance":"${instance}"`]),
    ...(server === undefined ? [] : [`"server":${quoted(server)}`]),
    ...(within === undefined ? [] : [`"within":"${within}"`]),
    `"from":"${from}"`,
    ...(userAgent === undefined ? [] : [`"userAgent":${quoted(userAgent)}`]),
  ].join(',')
}

/** Guests whose members are remembered, half a kilobyte each. */
const ASKERS = 1_024

/** For `recordLine`: puts the members of a guest together once, and again when one has changed. */
export function rememberedAskers(): (record: NewRecord) => string {
  const askers = new Map<string, Asker & { readonly members: string }>()
  return (record) => {
    const { daemon, instance, server, within, from, userAgent } = record
    const key = instance ?? from
    const known = askers.get(key)
    if (
      known !== undefined &&
      known.server === server &&
      known.within === within &&
      known.from === from &&
      known.userAgent === userAgent &&
      known.daemon === daemon
    )
      return known.members
    if (askers.size >= ASKERS) askers.clear()
    const asker = { daemon, instance, server, within, from, userAgent }
    const members = askerMembers(asker)
    askers.set(key, { ...asker, members })
    return members
  }
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
