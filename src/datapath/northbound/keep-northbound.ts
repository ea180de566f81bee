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
  /** Takes all of ours away. */
  clear(): Promise<void>
  end(): void
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

export interface NorthboundGiven {
  /** Follows `NORTHBOUND_TABLES`. */
  readonly client: OvsdbClient
  /** Follows `CHASSIS_TABLE`. */
  readonly southbound: OvsdbClient
  readonly source: Pick<Source<NorthboundRecords>, 'records' | 'onChange'>
  /** In every row of ours. */
  readonly mark: string
  readonly settings: NorthboundSettings
  readonly log: Log
}

/** Keeps OVN's Northbound database saying what the inventory says, and gateways where chassis can have them: at each change
 *  of either, by difference. */
export function keepNorthbound(given: NorthboundGiven): NorthboundKeeper {
  const { client, southbound, source, mark, settings, log } = given
  let running: Promise<void> | undefined
  let isNews = false
  let isEnded = false
  let retry: NodeJS.Timeout | undefined

  async function wanted(): Promise<Northbound> {
    await southbound.synchronized()
    return northbound(source.records, gatewayCandidates(southbound), settings)
  }

  async function write(what: () => Promise<Northbound> | Northbound): Promise<void> {
    await client.synchronized()
    const now = await what()
    const operations = northboundChanges(now, client, mark)
    if (operations.length === 0) return
    const taken = takenNames(now, client, mark)
    if (taken.length > 0) throw new Error(`the Northbound database: ${describeTaken(taken)}`)
    await client.transact(...operations)
    log.info({ operations: operations.length }, 'northbound')
  }

  async function pass(): Promise<void> {
    do {
      isNews = false
      await write(wanted)
    } while (isNews)
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
      log.warn({ err: error instanceof Error ? error.message : error }, 'the Northbound database could not be written')
      clearTimeout(retry)
      retry = setTimeout(lookAgain, RETRY_MILLISECONDS).unref()
    })
  }

  const ends = [source.onChange(lookAgain), client.onChanges(lookAgain), southbound.onChanges(lookAgain)]
  const end = () => {
    isEnded = true
    clearTimeout(retry)
    for (const one of ends) one()
  }
  return {
    look,
    end,
    clear: async () => {
      end()
      await running?.catch(() => undefined)
      await write(() => NOTHING)
    },
  }
}
