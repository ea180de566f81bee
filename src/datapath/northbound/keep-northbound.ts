import type { Log } from '../../observe/log.ts'
import type { OvsdbClient } from '../../ovsdb/ovsdb.ts'
import { type Northbound, type NorthboundRecords, type NorthboundSettings, northbound } from '../ovn/northbound.ts'
import type { Source } from '../reconciler.ts'
import { besideOthers } from './beside-others.ts'
import { gatewayCandidates } from './candidates.ts'
import { northboundChanges } from './changes.ts'
import { describeTaken, type TakenName, takenNames } from './taken-names.ts'
import { type Found, type NorthboundTrouble, stillFound } from './troubles.ts'

export interface NorthboundKeeper {
  /** Resolves when the database has been told what the inventory says. What it could not be told is among the troubles, and
   *  is tried again: what others have is written as soon as they have it no more. */
  look(): Promise<void>
  readonly troubles: readonly NorthboundTrouble[]
  /** Writes nothing more. Resolves when nothing is being written, which a server that does not answer may put off for long. */
  end(): Promise<void>
}

const NOTHING: Northbound = {
  dhcp: new Map(),
  switches: new Map(),
  dns: new Map(),
  ports: new Map(),
  routers: new Map(),
  routerPorts: new Map(),
  gatewayChassis: new Map(),
  routes: new Map(),
  translations: new Map(),
}

/** Where trouble is that is not one row's. */
const DATABASE = 'OVN_Northbound'

/** So long after a failure the next attempt comes. */
const RETRY_MILLISECONDS = 2_000

/** So long the database may take to let go of what is ours, when nobody is to wait for it. */
const CLEAR_MILLISECONDS = 5_000

export interface NorthboundRows {
  /** Follows `NORTHBOUND_TABLES`. */
  readonly client: OvsdbClient
  /** In every row of ours. */
  readonly mark: string
  readonly log: Log
}

export interface NorthboundGiven extends NorthboundRows {
  /** Follows `CHASSIS_TABLE`. */
  readonly southbound: OvsdbClient
  readonly source: Pick<Source<NorthboundRecords>, 'records' | 'onChange'>
  readonly settings: NorthboundSettings
}

/** Takes all of ours away, once whoever keeps it there has ended, if there is one. @throws Error when the database does not
 *  let it in time */
export async function clearNorthbound(rows: NorthboundRows, keeper?: NorthboundKeeper): Promise<void> {
  const clear = async () => {
    await keeper?.end()
    await write(rows, () => NOTHING)
  }
  const late = Promise.withResolvers<never>()
  const seconds = CLEAR_MILLISECONDS / 1_000
  const timer = setTimeout(() => late.reject(new Error(`it has not answered within ${seconds} s`)), CLEAR_MILLISECONDS)
  await Promise.race([clear(), late.promise]).finally(() => clearTimeout(timer))
}

/** @returns names that others have, and that are not written for it */
async function write(
  { client, mark, log }: NorthboundRows,
  what: () => Promise<Northbound> | Northbound,
): Promise<readonly TakenName[]> {
  await client.synchronized()
  const now = await what()
  const taken = takenNames(now, client, mark)
  const operations = northboundChanges(besideOthers(now, taken), client, mark)
  if (operations.length === 0) return taken
  await client.transact(...operations)
  log.info({ operations: operations.length }, 'northbound')
  return taken
}

/** Keeps OVN's Northbound database saying what the inventory says, and gateways where chassis can have them: at each change
 *  of either, by difference. */
export function keepNorthbound(given: NorthboundGiven): NorthboundKeeper {
  const { client, southbound, source, settings, log } = given
  let running: Promise<void> | undefined
  let isNews = false
  let isEnded = false
  let retry: NodeJS.Timeout | undefined
  let troubles: readonly NorthboundTrouble[] = []

  async function wanted(): Promise<Northbound> {
    await southbound.synchronized()
    return northbound(source.records, gatewayCandidates(southbound), settings)
  }

  function note(found: readonly Found[]): void {
    const before = troubles
    troubles = stillFound(before, found, Date.now())
    const isIn = (all: readonly Found[], { where, message }: Found) =>
      all.some((each) => each.where === where && each.message === message)
    for (const each of troubles)
      if (!isIn(before, each))
        log.warn({ where: each.where, why: each.message }, 'the Northbound could not be written; it is tried again')
    for (const { where } of before)
      if (!troubles.some((each) => each.where === where)) log.info({ where }, 'the Northbound is written again')
  }

  async function pass(): Promise<void> {
    do {
      isNews = false
      const taken = await write(given, wanted)
      note(taken.map((each) => ({ where: `${each.table} ${each.name}`, message: describeTaken(each) })))
    } while (isNews && !isEnded)
  }

  function failed(error: unknown): void {
    if (isEnded) return
    const message = error instanceof Error ? error.message : String(error)
    note([...troubles.filter(({ where }) => where !== DATABASE), { where: DATABASE, message }])
    clearTimeout(retry)
    retry = setTimeout(look, RETRY_MILLISECONDS).unref()
  }

  async function look(): Promise<void> {
    if (isEnded) return
    isNews = true
    running ??= pass()
      .catch(failed)
      .finally(() => {
        running = undefined
      })
    await running
  }

  const ends = [source.onChange(look), client.onChanges(look), southbound.onChanges(look)]
  return {
    look,
    get troubles() {
      return troubles
    },
    end: async () => {
      isEnded = true
      clearTimeout(retry)
      for (const one of ends) one()
      await running
    },
  }
}
