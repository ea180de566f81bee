import type { Log } from '../../observe/log.ts'
import type { OvsdbClient } from '../../ovsdb/ovsdb.ts'
import { type Northbound, type NorthboundRecords, type NorthboundSettings, northbound } from '../ovn/northbound.ts'
import type { Source } from '../reconciler.ts'
import { gatewayCandidates } from './candidates.ts'
import { northboundChanges } from './changes.ts'
import { describeTaken, takenNames } from './taken-names.ts'

export interface NorthboundKeeper {
  /** Resolves when the database says what the inventory says. @throws Error when it cannot be told */
  look(): Promise<void>
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

async function write(
  { client, mark, log }: NorthboundRows,
  what: () => Promise<Northbound> | Northbound,
): Promise<void> {
  await client.synchronized()
  const now = await what()
  const operations = northboundChanges(now, client, mark)
  if (operations.length === 0) return
  const taken = takenNames(now, client, mark)
  if (taken.length > 0) throw new Error(`the Northbound database: ${describeTaken(taken)}`)
  await client.transact(...operations)
  log.info({ operations: operations.length }, 'northbound')
}

/** Keeps OVN's Northbound database saying what the inventory says, and gateways where chassis can have them: at each change
 *  of either, by difference. */
export function keepNorthbound(given: NorthboundGiven): NorthboundKeeper {
  const { client, southbound, source, settings, log } = given
  let running: Promise<void> | undefined
  let isNews = false
  let isEnded = false
  let retry: NodeJS.Timeout | undefined
  /** What is wrong, as far as the log has been told. */
  let trouble: string | undefined

  async function wanted(): Promise<Northbound> {
    await southbound.synchronized()
    return northbound(source.records, gatewayCandidates(southbound), settings)
  }

  async function pass(): Promise<void> {
    do {
      isNews = false
      await write(given, wanted)
      if (trouble !== undefined) log.info('the Northbound database is written again')
      trouble = undefined
    } while (isNews && !isEnded)
  }

  function look(): Promise<void> {
    isNews = true
    running ??= pass().finally(() => {
      running = undefined
    })
    return running
  }

  function lookAgain(): void {
    if (isEnded) return
    look().catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error)
      if (why !== trouble) log.warn({ why }, 'the Northbound database could not be written; it is tried again')
      trouble = why
      clearTimeout(retry)
      retry = setTimeout(lookAgain, RETRY_MILLISECONDS).unref()
    })
  }

  const ends = [source.onChange(lookAgain), client.onChanges(lookAgain), southbound.onChanges(lookAgain)]
  return {
    look,
    end: async () => {
      isEnded = true
      clearTimeout(retry)
      for (const one of ends) one()
      await running?.catch(() => undefined)
    },
  }
}
