import { HOLD_MILLISECONDS, NotReady } from '../../http/errors.ts'
import type { OvsdbClient } from '../../ovsdb/ovsdb.ts'
import type { PortDirectory } from '../port-directory.ts'
import { findPorts } from './find-ports.ts'
import type { Following } from './follow-chassis.ts'
import { CHASSIS, DATAPATH_BINDING } from './southbound.ts'

/** What is needed of who follows it. */
type Answerable = Pick<Following, 'rows' | 'isSettled' | 'onKnown'>

/** How long an address that nobody has is waited for. The guest's request and the news of its port come by different ways, and
 *  a guest takes 404 as final. */
const LATE_MILLISECONDS = 1_000

/**
 * The ports of OVN's Southbound database, as far as one chassis follows it. Costs index look-ups.
 *
 * A port that is known is answered also while the connection is lost: its guest was plugged in by an ovn-controller that
 * cannot be told of another meanwhile either. That nobody has an address is said only of a database that is synchronized,
 * that knows our chassis, and that knows the network as one with guests here: a request from there says that it is.
 */
export function southboundDirectory(
  southbound: OvsdbClient,
  chassisName: string,
  following: Answerable,
  { holdMilliseconds = HOLD_MILLISECONDS, lateMilliseconds = LATE_MILLISECONDS } = {},
): PortDirectory {
  const { rows } = following
  const looking = [southbound.onChanges, southbound.onStatus, following.onKnown]
  return {
    async find(within, client) {
      // OVN's namespaces belong to networks.
      if (!('networkId' in within)) return []
      const find = () => findPorts(rows, within.networkId, client)
      const isKnown = () =>
        southbound.status.state === 'synchronized' &&
        following.isSettled() &&
        rows.find(CHASSIS, 'byName', chassisName).length > 0 &&
        rows.find(DATAPATH_BINDING, 'byNetwork', within.networkId).length > 0
      const isFound = () => find().length > 0
      if (!(await comesTrue(looking, isFound, lateMilliseconds)) && !isKnown()) {
        const isDecided = () => isFound() || isKnown()
        if (!(await comesTrue(looking, isDecided, holdMilliseconds - lateMilliseconds))) throw new NotReady()
      }
      return find()
    },
  }
}

/** Looks at once, and again whenever one of the events is told. @returns whether it came true in time */
function comesTrue(
  events: readonly ((listener: () => void) => () => void)[],
  condition: () => boolean,
  milliseconds: number,
): Promise<boolean> {
  if (condition()) return Promise.resolve(true)
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const timer = setTimeout(() => resolve(condition()), milliseconds)
  const look = () => condition() && resolve(true)
  const ends = events.map((listen) => listen(look))
  return promise.finally(() => {
    clearTimeout(timer)
    for (const end of ends) end()
  })
}
