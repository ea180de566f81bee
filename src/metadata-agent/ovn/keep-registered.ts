import { mutate, type OvsdbClient, type RowOf } from '../../ovsdb/ovsdb.ts'
import { missingRegistration } from './registration.ts'
import { CHASSIS, CHASSIS_PRIVATE, SB_GLOBAL } from './southbound.ts'

/** So long after a write that failed the next attempt comes. */
const RETRY_MILLISECONDS = 5_000

export interface Registration {
  /** `system-id` of our chassis. */
  readonly systemId: string
  /** The integration bridge as it is called now. */
  readonly bridge: () => string
  /** Before a changed nb_cfg is told on, at most. The first is told at once. */
  readonly longestDelayMilliseconds: number
  readonly onFailure: (error: unknown) => void
  readonly random?: () => number
}

/**
 * Keeps our chassis's row saying that a metadata agent is here, and that it lives: whenever nb_cfg changes it is told on,
 * after a random pause, since all chassis of the cloud hear of it at once.
 * @returns what ends it
 */
export function keepRegistered(southbound: OvsdbClient, registration: Registration): () => void {
  const { systemId, bridge, longestDelayMilliseconds, onFailure, random = Math.random } = registration
  let timer: NodeJS.Timeout | undefined
  let hasTold = false

  const nbCfg = () => Array.from(southbound.all(SB_GLOBAL))[0]?.nb_cfg
  const place = () => (southbound.hasColumn(CHASSIS_PRIVATE, 'external_ids') ? CHASSIS_PRIVATE : CHASSIS)
  const row = () => southbound.find(place(), 'byName', systemId)[0]
  const missing = ({ external_ids }: RowOf<typeof CHASSIS_PRIVATE>, told: number | undefined) =>
    missingRegistration(external_ids, { systemId, bridge: bridge(), nbCfg: told })

  function look(): void {
    const ours = row()
    if (ours === undefined || southbound.status.state !== 'synchronized' || timer !== undefined) return
    // Who we are is said at once, that we still live a little later.
    if (missing(ours, undefined).size > 0 || !hasTold) later(0)
    else if (missing(ours, nbCfg()).size > 0) later(random() * longestDelayMilliseconds)
  }

  function later(milliseconds: number): void {
    timer = setTimeout(() => {
      write().then(
        () => again(0),
        (error: unknown) => {
          onFailure(error)
          again(RETRY_MILLISECONDS)
        },
      )
    }, milliseconds).unref()
  }

  function again(milliseconds: number): void {
    timer = setTimeout(() => {
      timer = undefined
      look()
    }, milliseconds).unref()
  }

  async function write(): Promise<void> {
    const ours = row()
    if (ours === undefined) return
    const ids = missing(ours, nbCfg())
    if (ids.size > 0) {
      // ovn-controller writes the same map, and an insert leaves a key that is there.
      const changes = [
        ['external_ids', 'delete', [...ids.keys()]],
        ['external_ids', 'insert', ids],
      ] as const
      await southbound.transact(mutate(place(), [['_uuid', '==', ours._uuid]], changes))
    }
    hasTold = true
  }

  const ends = [southbound.onChanges(look), southbound.onStatus(look), () => clearTimeout(timer)]
  look()
  return () => {
    for (const end of ends) end()
  }
}
