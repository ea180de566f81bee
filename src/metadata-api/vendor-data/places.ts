import { MetadataError } from '../../http/errors.ts'

/** Everybody who is being served holds a place; there are only so many, and the others wait in order of arrival. */
export interface Places {
  /** @returns what gives the place back @throws NoPlace when none was free in time */
  take(patienceMilliseconds: number): Promise<() => void>
}

/** Nothing is wrong but the time: whoever asks again later is served. */
export class NoPlace extends MetadataError {
  override readonly name = 'NoPlace'
  readonly status = 503
  readonly code = 'vendor-data-busy'
  override readonly headers = [['Retry-After', '2']] as const
  constructor() {
    super('The vendor data service is busy. Please try your request again.')
  }
}

export function openPlaces(count: number): Places {
  let free = count
  const waiting = new Set<() => void>()

  /** Straight into the hands of whoever waits longest. */
  function giveBack(): void {
    const [next] = waiting
    if (next === undefined) free += 1
    else next()
  }

  return {
    take(patienceMilliseconds) {
      const { promise, resolve, reject } = Promise.withResolvers<() => void>()
      if (free > 0) {
        free -= 1
        resolve(giveBack)
        return promise
      }
      const late = setTimeout(() => {
        waiting.delete(enter)
        reject(new NoPlace())
      }, patienceMilliseconds)
      const enter = () => {
        waiting.delete(enter)
        clearTimeout(late)
        resolve(giveBack)
      }
      waiting.add(enter)
      return promise
    },
  }
}
