import type { OvsdbClient, Rows, Uuid } from '../../ovsdb/ovsdb.ts'
import { wantedRows } from './conditions.ts'
import { type EarlyRow, type EarlyRows, readEarlyRows, withEarlyRows } from './early-rows.ts'
import { CHASSIS, CHASSIS_PRIVATE, DATAPATH_BINDING, PORT_BINDING } from './southbound.ts'

/** The part of the Southbound database that one chassis needs. */
export interface Following {
  /** Those of the database as far as they are followed, and those that were read ahead for networks that are new here. */
  readonly rows: Rows
  /** Whether nothing is missing that the local networks are known by: what was asked for is there, or was read ahead. */
  readonly isKnown: () => boolean
  /** Whether the rows are those that are wanted now. */
  readonly isSettled: () => boolean
  /** Resolves when they are. */
  readonly settled: () => Promise<void>
  /** @param listener  called when one of these may have changed without a change of the followed rows @returns what ends it */
  readonly onKnown: (listener: () => void) => () => void
  /** Stops following. */
  readonly end: () => void
}

/** For each network that is read ahead the server looks through all ports, which takes it a quarter of what the conditions do:
 *  with two networks half the wait is saved, with four nothing would be. */
const MOST_READ_AHEAD = 2

/**
 * Keeps asking the Southbound database for what one chassis needs and nothing else, as that changes. To be called before
 * the client is awaited, so that the first dump is already of this chassis.
 *
 * A server with 100,000 ports takes 100 ms and more to change conditions. So for a network that is new here, it is asked in a
 * transaction first for the few rows that a namespace is made of. These count until the followed ones are there, or the
 * connection is lost; without them, all waits for those.
 */
export function followChassis(southbound: OvsdbClient, chassisName: string): Following {
  const listeners = new Set<() => void>()
  let asked = ''
  /** How many times conditions were set, and up to which time the server has carried them out. */
  let questions = 0
  let carriedOut = 0
  /** Whom the conditions name, and since which question without a break. */
  let since: ReadonlyMap<Uuid, number> = new Map()
  let early: EarlyRows = new Map()
  let latest = together([
    southbound.setCondition(CHASSIS, [['name', '==', chassisName]]),
    southbound.setCondition(CHASSIS_PRIVATE, [['name', '==', chassisName]]),
  ])

  function together(changed: readonly Promise<void>[]): Promise<unknown> {
    questions += 1
    const question = questions
    const all = Promise.all(changed).then(() => {
      carriedOut = Math.max(carriedOut, question)
      keepEarly(early)
    })
    all.catch(() => {}) // the client was closed; who waits hears of it
    return all
  }

  function ask(): void {
    const { ports, datapaths, named } = wantedRows(southbound, chassisName)
    const text = JSON.stringify([ports, datapaths])
    if (text === asked) return
    asked = text
    const names = named.chassis === undefined ? [] : [named.chassis, ...named.datapaths]
    const fresh = named.datapaths.filter((datapath) => !since.has(datapath))
    since = new Map(names.map((name) => [name, since.get(name) ?? questions + 1]))
    // Before the conditions: a server does one thing after the other.
    if (fresh.length > 0 && fresh.length <= MOST_READ_AHEAD) void readAhead(fresh, questions + 1)
    latest = together([
      southbound.setCondition(PORT_BINDING, ports),
      southbound.setCondition(DATAPATH_BINDING, datapaths),
    ])
    keepEarly(early)
  }

  async function readAhead(datapaths: readonly Uuid[], question: number): Promise<void> {
    try {
      const found = await readEarlyRows(southbound, datapaths)
      keepEarly([...early, ...[...found].filter(([datapath]) => since.get(datapath) === question)])
    } catch {
      // The rows that are followed will tell.
    }
  }

  /** Those of datapaths that are still wanted and still to come. */
  function keepEarly(rows: Iterable<readonly [Uuid, readonly EarlyRow[]]>): void {
    early = new Map([...rows].filter(([datapath]) => (since.get(datapath) ?? 0) > carriedOut))
    for (const listener of listeners) listener()
  }

  ask()
  const ends = [
    southbound.onChanges(ask),
    southbound.onStatus(({ state }) => {
      if (state !== 'synchronized') early = new Map()
    }),
  ]
  return {
    rows: withEarlyRows(southbound, () => early),
    isKnown: () => [...since].every(([name, question]) => question <= carriedOut || early.has(name)),
    isSettled: () => carriedOut === questions,
    async settled() {
      for (let awaited: unknown; awaited !== latest; ) {
        awaited = latest
        await latest
      }
    },
    onKnown: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    end: () => {
      for (const end of ends) end()
    },
  }
}
