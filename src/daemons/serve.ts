import { setTimeout as pause } from 'node:timers/promises'
import { withForwardedMark } from '../http/forwarded.ts'
import type { HttpRequest } from '../http/messages.ts'
import { type Serving, serve, type Where } from '../http/server.ts'
import { openInventory } from '../inventory/catalog.ts'
import type { InventoryStore } from '../inventory/store.ts'
import type { Log } from '../observe/log.ts'
import type { Fault } from '../serve/fault.ts'
import { faultPlan } from '../serve/fault-plan.ts'
import { type Guest, type GuestRules, guestOf } from '../serve/guests.ts'
import { testServer } from '../serve/handler.ts'
import { type Entry, type Journal, openJournal } from '../serve/journal.ts'
import { formatPlace } from '../serve/listen.ts'
import { faultyWriter } from '../serve/wire.ts'
import { serverOptions } from './guest-server.ts'
import { type DocumentValues, openMetadataService } from './metadata-service.ts'

export type TcpPlace = Extract<Where, { readonly host: string }>

export interface TestServerOptions {
  readonly values: DocumentValues
  readonly listen: readonly TcpPlace[]
  readonly rules: GuestRules
  readonly faults: readonly Fault[]
  readonly onEntry: (entry: Entry) => void
  readonly log: Log
}

/** The metadata service for those who build images: plain sockets, guests told apart by rules, trouble on demand. */
export interface TestServer {
  readonly journal: Journal
  /** Where it listens, with the ports the kernel chose. */
  readonly places: readonly TcpPlace[]
  close(): Promise<void>
}

/** @throws Error naming the place that cannot be listened on; nothing is left open then */
export async function openTestServer(store: InventoryStore, options: TestServerOptions): Promise<TestServer> {
  const { values, rules, faults, log, onEntry } = options
  const inventory = openInventory(store, log, { flatInjected: values.flat_injected })
  const api = openMetadataService(inventory, store, '', values, log)
  const journal = openJournal()
  const handler = testServer({
    guestOf: (request) => guestOf(rules, request),
    answer: (guest, request) => api.answer(callerOf(guest, request), withForwardedMark(request)),
    faults: faultPlan(faults),
    pause,
    onRequest: journal.begin,
  })
  const write = faultyWriter((reply, isSent) => onEntry(journal.end(reply, isSent)))
  const servings: Serving[] = []
  const close = async () => {
    await Promise.all(servings.map((serving) => serving.close(CLOSE_MILLISECONDS)))
    inventory.close()
    await store.close()
  }
  try {
    await inventory.ready
    for (const place of options.listen)
      servings.push(await listen(place, () => serve(handler, place, { ...serverOptions(log), write })))
  } catch (error) {
    await close()
    throw error
  }
  const places = options.listen.map(({ host }, i) => ({ host, port: servings[i]?.port ?? 0 }))
  return { journal, places, close }
}

/** The verdict is said; whoever is still being delayed is cut. */
const CLOSE_MILLISECONDS = 100

/** Nobody is a caller whose instance does not exist: the metadata API then answers as Nova does to a stranger. */
function callerOf(guest: Guest | undefined, { remoteAddress }: HttpRequest) {
  return {
    instanceId: guest?.id ?? '',
    projectId: guest?.projectId ?? '',
    requesterAddress: remoteAddress === '' ? null : remoteAddress,
  }
}

async function listen<T>(place: TcpPlace, open: () => Promise<T>): Promise<T> {
  try {
    return await open()
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
    const where = formatPlace(place)
    throw code === 'EACCES'
      ? new Error(`cannot listen on ${where}: ports below 1024 are for root; choose a higher one`)
      : new Error(`cannot listen on ${where}`, { cause })
  }
}
