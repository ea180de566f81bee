import type { FlightRecord } from './record.ts'

/** One request of a guest, put together from what each daemon on its way recorded. */
export interface Journey extends Omit<FlightRecord, 'daemon' | 'stages'> {
  /** By daemon from the guest inwards, milliseconds each: what it took itself and in stages of its own. */
  readonly hops: readonly {
    readonly daemon: string
    readonly milliseconds: number
    readonly stages: FlightRecord['stages']
  }[]
}

/**
 * Records of the same request as one. The outermost daemon says what the guest got; whoever knew the instance says whose
 * request it was. In the order of the first record of each.
 */
export function journeys(records: readonly FlightRecord[]): readonly Journey[] {
  return [...Map.groupBy(records, ({ request }) => request).values()].map(together)
}

/** How far inside a daemon stands; all others face guests. Durations do not tell: an answer may be read at the next hop
 *  before the one that gave it has stopped its clock. */
const DEPTHS: Readonly<Record<string, number>> = { 'metadata-agent': 1, 'metadata-api': 2 }

function fromOutside(a: FlightRecord, b: FlightRecord): number {
  return (DEPTHS[a.daemon] ?? 0) - (DEPTHS[b.daemon] ?? 0) || b.milliseconds - a.milliseconds
}

function together(records: readonly FlightRecord[]): Journey {
  const [outermost, ...inner] = records.toSorted(fromOutside) as [FlightRecord, ...FlightRecord[]]
  const { daemon: _, stages: __, ...said } = outermost
  const known = Object.assign(
    {},
    ...inner.map(({ instance, server, within, problem }) => present({ instance, server, within, problem })),
  ) as Partial<FlightRecord>
  return {
    ...known,
    ...said,
    hops: [outermost, ...inner].map(({ daemon, milliseconds, stages }) => ({ daemon, milliseconds, stages })),
  }
}

/** Without the members that are undefined. */
function present<T extends object>(members: T): Partial<T> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Partial<T>
}
