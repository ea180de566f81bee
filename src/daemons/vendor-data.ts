import { readFileSync } from 'node:fs'
import type { Values } from '../config/option.ts'
import type { vendorDataOptions } from '../config/options/documents.ts'
import type { Json } from '../documents/json.ts'
import { readJson } from '../documents/json-reader.ts'
import { openPoster } from '../http/post.ts'
import { type DynamicVendorData, openDynamicVendorData } from '../metadata-api/vendor-data/dynamic-vendor-data.ts'
import { parseTargets, type Target } from '../metadata-api/vendor-data/targets.ts'
import type { Log } from '../observe/log.ts'

export type VendorDataValues = Values<typeof vendorDataOptions>

export interface VendorDataSources {
  /** undefined without a file. */
  readonly static: Json | undefined
  readonly dynamic: DynamicVendorData
}

/** In bytes. A guest has to take it in while it boots. */
const ANSWER_BYTES = 1024 * 1024

/** What the options name. Says once, at start, which rows are not asked. */
export function openVendorData(values: VendorDataValues, log: Log): VendorDataSources {
  const { targets, skipped } = parseTargets(values.vendordata_dynamic_targets)
  for (const { row, reason } of skipped) log.warn({ target: row, reason }, 'a vendor data target is skipped')
  if (targets.length > 0 && !values.vendordata_providers.includes('DynamicJSON'))
    log.warn({ targets: targets.length }, 'no vendor data target is asked: DynamicJSON is not in vendordata_providers')
  return {
    static: readStatic(values.vendordata_jsonfile_path),
    dynamic: targets.length === 0 ? NO_TARGETS : openTargets(targets, values, log),
  }
}

const NO_TARGETS: DynamicVendorData = { ask: async () => [], vendorDataResults: () => [] }

function openTargets(targets: readonly Target[], values: VendorDataValues, log: Log): DynamicVendorData {
  const connectMilliseconds = values.vendordata_dynamic_connect_timeout * 1000
  const poster = openPoster({
    connectMilliseconds,
    readMilliseconds: values.vendordata_dynamic_read_timeout * 1000,
    answerBytes: ANSWER_BYTES,
    authorities: readAuthorities(values.vendordata_dynamic_ssl_certfile),
  })
  return openDynamicVendorData({
    targets,
    poster,
    isFailureFatal: values.vendordata_dynamic_failure_fatal,
    patienceMilliseconds: connectMilliseconds,
    now: () => new Date(),
    log,
  })
}

/** Read once, at start, so that a broken file is the operator's error and not every guest's (in nova it is a 500 for all). */
function readStatic(path: string): Json | undefined {
  if (path === '') return undefined
  try {
    return readJson(readFileSync(path, 'utf8'))
  } catch (cause) {
    throw new Error(`vendordata_jsonfile_path: ${path} cannot be used as vendor data`, { cause })
  }
}

/** Nova finds out at each request; here a file that is missing is said at start. */
function readAuthorities(path: string): string | undefined {
  if (path === '') return undefined
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new Error(`vendordata_dynamic_ssl_certfile: ${path} cannot be read`, { cause })
  }
}
