/** Time as the client sees it, so that tests can turn it forward. */
export interface Clock {
  /** Milliseconds of a clock that never runs back. */
  now(): number
  /** @returns what takes the call back */
  after(milliseconds: number, call: () => void): () => void
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after(milliseconds, call) {
    const timer = setTimeout(call, milliseconds)
    return () => clearTimeout(timer)
  },
}
