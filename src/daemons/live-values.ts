import type { Options } from '../config/option.ts'
import type { Log } from '../observe/log.ts'
import { changedValues, type ProxyValues, requireHaproxy, valuesOf } from './proxy-config.ts'

/** Options that may become others while what they are of runs. */
export interface LiveValues<V> {
  /** In force now. */
  readonly values: V
  /** Puts others in force. Resolves when they have been acted on. @returns what changed, one a line
   *  @throws HostError when they name a program that is not installed; then those before stay in force */
  configure(wanted: V): Promise<readonly string[]>
}

/** @param act  called with the values that are in force from now on, when some of them are others */
export function liveValues<V extends ProxyValues>(
  options: Options,
  first: V,
  act: (values: V) => Promise<unknown>,
  log: Pick<Log, 'info'>,
): LiveValues<V> {
  let values = valuesOf(options, first)
  let isActedOn = true
  return {
    get values() {
      return values
    },
    configure: async (wanted) => {
      const next = valuesOf(options, wanted)
      const changed = changedValues(options, values, next)
      if (changed.length === 0 && isActedOn) return changed
      await requireHaproxy(values, next)
      values = next
      isActedOn = false
      log.info({ changed }, 'options changed')
      await act(next)
      isActedOn = true
      return changed
    },
  }
}
