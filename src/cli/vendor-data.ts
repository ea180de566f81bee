import { truth } from '../config/option.ts'
import { vendorDataOptions } from '../config/options/documents.ts'
import { stateDirectory, stateOptions } from '../config/options/state.ts'
import { flag, UsageError, variable } from '../config/read.ts'
import { existingStateDirectory } from '../daemons/state-directory.ts'
import { openVendorData } from '../daemons/vendor-data.ts'
import type { VendorDataEntry } from '../documents/context.ts'
import { type Json, writeJson } from '../documents/json.ts'
import { vendorData2 } from '../documents/openstack/vendor-data.ts'
import { openInventory } from '../inventory/catalog.ts'
import type { Instance } from '../inventory/records/instance.ts'
import { openSqliteStore } from '../inventory/sql/sqlite.ts'
import { VendorDataFailed, type VendorDataResult } from '../metadata-api/vendor-data/dynamic-vendor-data.ts'
import { parseTargets } from '../metadata-api/vendor-data/targets.ts'
import { silentLog } from '../observe/log.ts'
import { command } from './command.ts'
import { findServer } from './find-server.ts'
import { table } from './terminal.ts'

export const vendorData = command({
  usage: 'SERVER',
  operands: 1,
  description:
    'Asks the targets of dynamic vendor data about a server, now, as the metadata API does when that guest reads vendor_data2.json, and shows what each answered and what the guest reads of it. Takes the options of the daemon it stands for. Exit code 1 when a target failed.',
  options: { json: truth(false, 'Print it as JSON.'), ...vendorDataOptions, ...stateOptions },
  examples: [
    ['firstboot vendor-data web-1 --vendordata-dynamic-targets site@http://127.0.0.1:9999/', 'try a target'],
    ['firstboot vendor-data web-1 --json', 'for programs; targets from the environment'],
  ],
  run: async ({ values, positionals, env, terminal }) => {
    const { targets, skipped } = parseTargets(values.vendordata_dynamic_targets)
    for (const { row, reason } of skipped) terminal.say(`${row} is skipped: ${reason}`)
    if (targets.length === 0) {
      const option = 'vendordata_dynamic_targets'
      throw new UsageError(`there is no target: name them with ${flag(option)} or ${variable(option)}`)
    }
    const instance = await readInstance(stateDirectory(values, env), positionals[0])
    const sources = openVendorData(values, silentLog)
    const entries = await sources.dynamic.ask(instance).catch((error: unknown) => {
      if (error instanceof VendorDataFailed) return undefined
      throw error
    })
    const results = sources.dynamic.vendorDataResults()
    // Whoever asks wants to see the answers, also before the provider is switched on.
    const isAsked = values.vendordata_providers.includes('DynamicJSON')
    const providers = isAsked ? values.vendordata_providers : [...values.vendordata_providers, 'DynamicJSON' as const]
    const document = entries && vendorData2({ providers, static: sources.static, dynamic: entries })
    const rows = targets.flatMap(({ name }) => {
      const result = results.find(({ target }) => target === name)
      return result ? [{ ...result, guestReads: guestReads(name, entries, document) }] : []
    })
    if (values.json) terminal.print(writeJson(rows.map(wire)))
    else table([HEADING, ...rows.map(cells)]).forEach(terminal.print)
    if (!isAsked) terminal.say(`No guest reads this yet: DynamicJSON is not in ${flag('vendordata_providers')}.`)
    if (entries === undefined) terminal.say('The guest gets an error in place of vendor_data2.json.')
    return rows.some(({ error }) => error !== null) ? 1 : 0
  },
})

async function readInstance(directory: string, wanted: string | undefined): Promise<Instance> {
  const state = await existingStateDirectory(directory)
  const store = await openSqliteStore(state.database)
  const inventory = openInventory(store)
  try {
    await inventory.ready
    const { id, name } = findServer(inventory.records, wanted)
    const instance = inventory.instance(id)
    if (instance === undefined) throw new UsageError(`${name} is gone`)
    return instance
  } finally {
    inventory.close()
    await store.close()
  }
}

/** undefined: nothing of this target, since StaticJSON has its name, or since there is no document. */
function guestReads(name: string, entries: readonly VendorDataEntry[] | undefined, document: Json | undefined) {
  const answer = entries?.find(([target]) => target === name)?.[1]
  const member = document instanceof Map ? (document.get(name) as Json | undefined) : undefined
  return answer === member ? member : undefined
}

type Row = VendorDataResult & { readonly guestReads: Json | undefined }

const HEADING = ['target', 'url', 'status', 'ms', 'bytes', 'the guest reads']
/** Characters of an answer in the table. */
const SHOWN = 60

function cells({ target, url, status, milliseconds, bytes, error, guestReads }: Row): readonly string[] {
  const text = guestReads === undefined ? 'nothing: it has no document, or the name is taken' : writeJson(guestReads)
  const shown = text.length > SHOWN ? `${text.slice(0, SHOWN - 3)}...` : text
  const what = error === null ? shown : `${shown} (${error})`
  return [target, url, String(status ?? '-'), String(milliseconds), String(bytes ?? '-'), what]
}

function wire({ instanceId, target, url, status, milliseconds, bytes, error, at, guestReads }: Row): Json {
  return {
    instance_id: instanceId,
    target,
    url,
    status,
    milliseconds,
    bytes,
    error,
    at,
    guest_reads: guestReads,
  }
}
