import type { NorthboundTrouble } from '../../datapath/northbound/troubles.ts'
import type { PlaceStatus } from '../../datapath/status.ts'

/** What is not written, as `firstboot datapath status` tells it. Pure. */
export function northboundStatus({ where, message, since, times }: NorthboundTrouble): PlaceStatus {
  return { where, actions: [], trouble: { what: 'writing it', message, since: new Date(since).toISOString(), times } }
}
