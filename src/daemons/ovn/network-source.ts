import type { Source } from '../../datapath/reconciler.ts'
import type { Following } from '../../metadata-agent/ovn/follow-chassis.ts'
import { type LocalNetworks, localNetworks } from '../../metadata-agent/ovn/local-networks.ts'
import { CHASSIS, DATAPATH_BINDING, PORT_BINDING } from '../../metadata-agent/ovn/southbound.ts'
import type { OvsdbClient } from '../../ovsdb/ovsdb.ts'

const NONE: LocalNetworks = { networks: [], unserved: [] }

/**
 * The networks with guests on one chassis, for the reconciler. While that cannot be known (no connection yet, no row of the
 * chassis, rows asked for and neither there nor read ahead), it is what it was: nothing is torn down for want of knowledge.
 */
export function networkSource(
  southbound: OvsdbClient,
  chassisName: string,
  following: Following,
): Source<LocalNetworks> {
  const ready = Promise.withResolvers<void>()
  const listeners = new Set<() => void>()
  let records = NONE
  let text = ''
  let sequence = 0

  function look(): void {
    if (southbound.status.state !== 'synchronized' || !following.isKnown()) return
    const known = localNetworks(following.rows, chassisName)
    const now = known === undefined ? text : JSON.stringify(known)
    if (known === undefined || now === text) return
    records = known
    text = now
    sequence += 1
    ready.resolve()
    for (const listener of listeners) listener()
  }

  southbound.onChanges((changes) => {
    if ([PORT_BINDING, DATAPATH_BINDING, CHASSIS].some((table) => changes.of(table).length > 0)) look()
  })
  southbound.onStatus(look)
  following.onKnown(look)
  look()
  return {
    ready: ready.promise,
    get records() {
      return records
    },
    get sequence() {
      return sequence
    },
    onChange: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
