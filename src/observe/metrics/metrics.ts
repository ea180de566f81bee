import { familyText } from './exposition.ts'
import { type DRIFTS, METHODS, type RESOLUTIONS, STATUSES, type VENDOR_DATA_OUTCOMES } from './labels.ts'
import { rememberedPathClass } from './path-class.ts'
import { loopUtilization, type ProcessUsage, processUsage } from './process.ts'
import { METRICS, type MetricName, type MetricRow } from './rows.ts'
import { type HistogramCell, histogramSeries, type NumberCell, numberSeries, observe, type Series } from './series.ts'

/** What the parts tell of their work. Nothing here waits, throws, or keeps what it is given. */
export interface Metrics {
  request(answered: AnsweredRequest): void
  resolved(outcome: Resolution): void
  portLookup(isHit: boolean): void
  /** A request was held while the state was not known. */
  held(milliseconds: number, isAnswered: boolean): void
  limited(how: 'delayed' | 'refused', milliseconds: number): void
  vendorData(call: VendorDataCall): void
  /** A pass of the reconciler has ended. @param report  undefined: it could not even look */
  reconciled(report: PassReport | undefined, milliseconds: number): void
  /** @param what  as the host tells it */
  drifted(what: string): void
  /** A program of ours that ended by itself is started again. */
  restarted(program: string): void
  serving(count: Served): void
  /** @param read  what is known of the databases that are followed, whenever somebody asks for the page */
  databases(read: () => readonly DatabaseFigures[]): void
  /** All of this process, in Prometheus' text format. */
  page(): string
}

export interface Served {
  readonly networks: number
  readonly namespaces: number
  readonly ports: number
  /** Networks that should be served and cannot be. */
  readonly unserved?: number
}

/** How it is with one database of OVN or Open vSwitch. */
export interface DatabaseFigures {
  readonly database: string
  readonly isSynchronized: boolean
  /** Since the start, by how it is followed. */
  readonly synchronizations: ReadonlyMap<string, number>
  /** By table. */
  readonly rows: ReadonlyMap<string, number>
}

/** A flight record has all of it. */
export interface AnsweredRequest {
  readonly method: string
  /** Undecoded; a query does not matter. */
  readonly path: string
  readonly status: number
  readonly milliseconds: number
  /** Milliseconds by stage. The names come from our code, never from a guest. */
  readonly stages: Readonly<Record<string, number>>
  readonly problem?: string | undefined
}

export type Resolution = (typeof RESOLUTIONS)[number]

export interface VendorDataCall {
  /** As configured. */
  readonly target: string
  readonly outcome: (typeof VENDOR_DATA_OUTCOMES)[number]
  readonly milliseconds: number
}

/** The reconciler's report, as much of it as is counted. */
export interface PassReport {
  readonly done: readonly { readonly command: { readonly kind: string } }[]
  readonly failed: readonly { readonly command: { readonly kind: string } | undefined }[]
}

export interface MetricsSources {
  /** Of this program. */
  readonly version: string
  /** Read when somebody asks. */
  readonly recorderDropped: () => number
  readonly now: () => Date
}

type AllSeries = {
  readonly [N in MetricName]: Series<(typeof METRICS)[N]['kind'] extends 'histogram' ? HistogramCell : NumberCell>
}

export function openMetrics({ version, recorderDropped, now }: MetricsSources): Metrics {
  const all = openAll()
  const utilization = loopUtilization()
  const classOf = rememberedPathClass()
  all.build.at(version, process.versions.node).value = 1

  const count = (series: Series<NumberCell>, ...values: readonly string[]) => {
    series.at(...values).value += 1
  }
  const time = (series: Series<HistogramCell>, milliseconds: number, ...values: readonly string[]) =>
    observe(series, series.at(...values), milliseconds / 1000)
  const set = (series: Series<NumberCell>, value: number, ...labels: readonly string[]) => {
    series.at(...labels).value = value
  }
  let databases: () => readonly DatabaseFigures[] = () => []
  const setDatabase = ({ database, isSynchronized, synchronizations, rows }: DatabaseFigures) => {
    set(all.databaseSynchronized, isSynchronized ? 1 : 0, database)
    for (const [monitor, times] of synchronizations) set(all.databaseSynchronizations, times, database, monitor)
    for (const [table, number] of rows) set(all.databaseRows, number, database, table)
  }

  return {
    request: ({ method, path, status, milliseconds, stages, problem }) => {
      const kind = classOf(path)
      count(all.requests, kind, METHOD.get(method) ?? 'other', statusLabel(status))
      time(all.requestSeconds, milliseconds, kind)
      for (const stage in stages) time(all.stageSeconds, stages[stage] as number, stage)
      if (problem !== undefined) count(all.problems, problem)
    },
    resolved: (outcome) => count(all.resolutions, outcome),
    portLookup: (isHit) => count(all.portLookups, isHit ? 'hit' : 'miss'),
    held: (milliseconds, isAnswered) => {
      count(all.holds, isAnswered ? 'answered' : 'unavailable')
      time(all.holdSeconds, milliseconds)
    },
    limited: (how, milliseconds) => {
      count(all.limits, how)
      all.limitSeconds.at().value += milliseconds / 1000
    },
    vendorData: ({ target, outcome, milliseconds }) => {
      count(all.vendorDataCalls, target, outcome)
      if (outcome !== 'busy') time(all.vendorDataSeconds, milliseconds, target)
    },
    reconciled: (report, milliseconds) => {
      time(all.passSeconds, milliseconds)
      count(all.passes, passResult(report))
      if (report?.failed.length === 0) set(all.lastPass, now().getTime() / 1000)
      for (const { command } of report?.done ?? []) count(all.commands, command.kind, 'done')
      for (const { command } of report?.failed ?? []) count(all.commands, command?.kind ?? 'observe', 'failed')
    },
    drifted: (what) => count(all.drift, driftLabel(what)),
    restarted: (program) => count(all.restarts, program),
    serving: ({ networks, namespaces, ports, unserved = 0 }) => {
      set(all.networks, networks)
      set(all.namespaces, namespaces)
      set(all.ports, ports)
      set(all.unserved, unserved)
    },
    databases: (read) => {
      databases = read
    },
    page: () => {
      for (const [name, value] of Object.entries(processUsage())) set(all[name as keyof ProcessUsage], value)
      set(all.loop, utilization())
      set(all.recorderDropped, recorderDropped())
      databases().forEach(setDatabase)
      return Object.values<Series<NumberCell> | Series<HistogramCell>>(all).map(familyText).join('')
    },
  }
}

/** Counts nothing: for tests, and for commands that serve nobody. */
export const noMetrics: Metrics = {
  request() {},
  resolved() {},
  portLookup() {},
  held() {},
  limited() {},
  vendorData() {},
  reconciled() {},
  drifted() {},
  restarted() {},
  serving() {},
  databases() {},
  page: () => '',
}

function openAll(): AllSeries {
  const open = (row: MetricRow) => (row.kind === 'histogram' ? histogramSeries(row) : numberSeries(row))
  return Object.fromEntries(Object.entries(METRICS).map(([name, row]) => [name, open(row)])) as unknown as AllSeries
}

const METHOD: ReadonlyMap<string, string> = new Map(METHODS.map((method) => [method, method]))
const STATUS: ReadonlyMap<number, string> = new Map(STATUSES.map((status) => [Number(status), status]))

function statusLabel(status: number): string {
  const known = STATUS.get(status)
  if (known !== undefined) return known
  return status >= 200 && status < 600 ? `${Math.floor(status / 100)}xx` : 'other'
}

function passResult(report: PassReport | undefined): string {
  if (report === undefined || report.failed.length > 0) return 'failed'
  return report.done.length > 0 ? 'changed' : 'clean'
}

/** How the host words what happened behind our back. */
const DRIFT_WORDS: readonly (readonly [RegExp, (typeof DRIFTS)[number]])[] = [
  [/\bdnsmasq\b/, 'dnsmasq'],
  [/^namespace\b/, 'namespace'],
  [/\bsockets?\b/, 'sockets'],
]

function driftLabel(what: string): string {
  return DRIFT_WORDS.find(([words]) => words.test(what))?.[1] ?? 'other'
}
