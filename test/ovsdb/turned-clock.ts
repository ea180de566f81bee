import type { Clock } from '../../src/ovsdb/ovsdb.ts'

/** A clock that stands until it is turned. */
export interface TurnedClock extends Clock {
  /** Lets time pass, and what waits for it happen in its order. */
  turn(milliseconds: number): Promise<void>
}

export function turnedClock(): TurnedClock {
  const waiting = new Map<symbol, { readonly at: number; readonly call: () => void }>()
  let now = 0
  const settled = () => new Promise<void>((resolve) => setImmediate(resolve))
  const nextUntil = (end: number) =>
    [...waiting].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at)[0]

  return {
    now: () => now,
    after(milliseconds, call) {
      const key = Symbol()
      waiting.set(key, { at: now + milliseconds, call })
      return () => void waiting.delete(key)
    },
    async turn(milliseconds) {
      const end = now + milliseconds
      await settled()
      for (let next = nextUntil(end); next !== undefined; next = nextUntil(end)) {
        const [key, { at, call }] = next
        waiting.delete(key)
        now = at
        call()
        await settled()
      }
      now = end
    },
  }
}
