import { missingFeatures } from '../../metadata-agent/ovn/features.ts'
import type { Log } from '../../observe/log.ts'
import type { OvsdbClient } from '../../ovsdb/ovsdb.ts'

/** Tells the log what the Southbound database is too old for: at the start, and when another server knows more or less. */
export function tellMissingFeatures(southbound: OvsdbClient, log: Log): void {
  let told = ''
  southbound.onStatus(({ state }) => {
    if (state !== 'synchronized') return
    const missing = missingFeatures(southbound)
    if (missing.join() === told) return
    told = missing.join()
    if (missing.length > 0) log.warn({ missing }, 'the Southbound database is of an older OVN: some things come later')
    else log.info('the Southbound database has all that this agent asks for')
  })
}
