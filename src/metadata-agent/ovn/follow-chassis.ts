import type { OvsdbClient } from '../../ovsdb/ovsdb.ts'
import { wantedRows } from './conditions.ts'
import { CHASSIS, CHASSIS_PRIVATE, DATAPATH_BINDING, PORT_BINDING } from './southbound.ts'

/**
 * Keeps asking the Southbound database for what one chassis needs and nothing else, as that changes. To be called before
 * the client is awaited, so that the first dump is already of this chassis.
 *
 * @returns settled: resolves when the rows are those that are wanted now; isSettled: whether they are; end: stops following
 */
export function followChassis(
  southbound: OvsdbClient,
  chassisName: string,
): { readonly settled: () => Promise<void>; readonly isSettled: () => boolean; readonly end: () => void } {
  let asked = ''
  let pending = 0
  let latest: Promise<unknown> = together([
    southbound.setCondition(CHASSIS, [['name', '==', chassisName]]),
    southbound.setCondition(CHASSIS_PRIVATE, [['name', '==', chassisName]]),
  ])

  function together(changed: readonly Promise<void>[]): Promise<unknown> {
    pending += 1
    const all = Promise.all(changed).then(() => {
      pending -= 1
    })
    all.catch(() => {}) // the client was closed; who waits hears of it
    return all
  }

  function ask(): void {
    const wanted = wantedRows(southbound, chassisName)
    const text = JSON.stringify(wanted)
    if (text === asked) return
    asked = text
    latest = together([
      southbound.setCondition(PORT_BINDING, wanted.ports),
      southbound.setCondition(DATAPATH_BINDING, wanted.datapaths),
    ])
  }

  ask()
  const end = southbound.onChanges(ask)
  return {
    end,
    isSettled: () => pending === 0,
    async settled() {
      for (let awaited: unknown; awaited !== latest; ) {
        awaited = latest
        await latest
      }
    },
  }
}
