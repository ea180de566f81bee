import { setTimeout as pause } from 'node:timers/promises'

export interface KeptOptions {
  /** How long an answer is given again without asking. */
  readonly freshMilliseconds: number
  /** How old an answer may be that is given while nobody can be asked. */
  readonly staleMilliseconds: number
  /** Answers kept; the oldest go first. */
  readonly size: number
  /** What was not found is asked for again at most this often; who asks in between waits for the next time. */
  readonly paceMilliseconds: number
  /** Milliseconds on a clock that does not jump. */
  readonly now: () => number
  /** Whether asking failed in a way that an old answer makes up for. */
  readonly isAway: (error: unknown) => boolean
  /** An old answer is given. @param age  in milliseconds */
  readonly onStale: (age: number, error: unknown) => void
}

/** Keeps answers to questions that are named by a key. Equal questions at the same time are asked once. */
export interface KeptAnswers<T> {
  /** @param isNew  there is a reason to doubt an answer kept from before; one of this second will do */
  get(key: string, ask: () => Promise<readonly T[]>, isNew?: boolean): Promise<readonly T[]>
}

interface Kept<T> {
  readonly answer: readonly T[]
  readonly at: number
}

/** As new as an answer has to be for who doubts the kept one. */
const NEW_MILLISECONDS = 1_000
/** While nobody can be asked, questions with an old answer do not wait to find that out again. */
const AWAY_MILLISECONDS = 2_000

/**
 * What was found is believed for a while. That nothing was found never is: a port may have been made a moment ago, and a
 * guest takes a 404 for good.
 */
export function keepAnswers<T>(options: KeptOptions): KeptAnswers<T> {
  const { freshMilliseconds, staleMilliseconds, size, paceMilliseconds, now, isAway, onStale } = options
  const kept = new Map<string, Kept<T>>()
  const running = new Map<string, Promise<readonly T[]>>()
  let away: { readonly until: number; readonly error: unknown } = { until: Number.NEGATIVE_INFINITY, error: undefined }

  /** An answer that may be given instead of asking; never an empty one. */
  function stale(key: string, error: unknown): readonly T[] | undefined {
    const found = kept.get(key)
    if (found === undefined || found.answer.length === 0) return undefined
    const age = now() - found.at
    if (age > staleMilliseconds) return undefined
    onStale(age, error)
    return found.answer
  }

  function keep(key: string, answer: readonly T[]): void {
    kept.delete(key)
    kept.set(key, { answer, at: now() })
    for (const oldest of kept.keys()) {
      if (kept.size <= size) break
      kept.delete(oldest)
    }
  }

  async function question(key: string, ask: () => Promise<readonly T[]>): Promise<readonly T[]> {
    const before = kept.get(key)
    if (before?.answer.length === 0) await pause(Math.max(0, before.at + paceMilliseconds - now()))
    try {
      const answer = await ask()
      keep(key, answer)
      return answer
    } catch (error) {
      if (!isAway(error)) throw error
      away = { until: now() + AWAY_MILLISECONDS, error }
      const old = stale(key, error)
      if (old === undefined) throw error
      return old
    }
  }

  return {
    get: async (key, ask, isNew = false) => {
      const found = kept.get(key)
      const limit = isNew ? Math.min(NEW_MILLISECONDS, freshMilliseconds) : freshMilliseconds
      if (found !== undefined && found.answer.length > 0 && now() - found.at < limit) return found.answer
      const old = now() < away.until ? stale(key, away.error) : undefined
      if (old !== undefined) return old
      const asked = running.get(key)
      if (asked !== undefined) return await asked
      const asking = question(key, ask).finally(() => running.delete(key))
      running.set(key, asking)
      return await asking
    },
  }
}
