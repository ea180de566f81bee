import { HostError } from './errors.ts'

const FIRST_DELAY_MILLISECONDS = 1_000
const LONGEST_DELAY_MILLISECONDS = 30_000
/** A program that lived this long did not die of how it was started. */
const HEALTHY_MILLISECONDS = 10_000

interface Failures {
  readonly count: number
  readonly arguments: string
  readonly notBefore: number
  readonly reason: string
}

/** When a program that keeps dying may be started again: after 1, 2, 4, ... 30 seconds, or at once with other arguments.
 *  One death after a healthy life is no reason to wait. */
export class Backoff {
  readonly #failures = new Map<string, Failures>()
  readonly #startedAt = new Map<string, number>()
  readonly #now: () => number

  /** @param now  milliseconds of a clock that never runs back */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** @throws HostError with the reason of the last death while it is too early */
  check(key: string, args: readonly string[]): void {
    const failures = this.#failures.get(key)
    const wait = (failures?.notBefore ?? 0) - this.#now()
    if (failures === undefined || wait <= 0 || failures.arguments !== args.join(' ')) return
    throw new HostError(`${failures.reason}; next attempt in ${Math.ceil(wait / 1000)} s`)
  }

  started(key: string): void {
    this.#startedAt.set(key, this.#now())
  }

  /** It did not come up. */
  failed(key: string, args: readonly string[], reason: string): void {
    const count = (this.#failures.get(key)?.count ?? 0) + 1
    const delay = Math.min(FIRST_DELAY_MILLISECONDS * 2 ** (count - 1), LONGEST_DELAY_MILLISECONDS)
    this.#failures.set(key, { count, arguments: args.join(' '), notBefore: this.#now() + delay, reason })
  }

  /** It came up and died since: of a bad start if soon for the second time. */
  ended(key: string, args: readonly string[], reason: string): void {
    const lived = this.#now() - (this.#startedAt.get(key) ?? 0)
    if (lived >= HEALTHY_MILLISECONDS) this.#failures.delete(key)
    else if (this.#failures.has(key)) this.failed(key, args, reason)
    else this.#failures.set(key, { count: 0, arguments: args.join(' '), notBefore: 0, reason })
  }
}
