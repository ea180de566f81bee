import type { Feed, Following } from '../store.ts'

/** Pause before the feed is asked again after it could not be read. */
const RETRY_MILLISECONDS = 250

/**
 * Hands on commits in order. `poke` says that there may be new ones; pokes during a read are remembered, so none is lost
 * and none is read twice.
 * @param read  the feed after a commit, undefined when there is nothing new
 */
export function followCommits(
  since: number,
  read: (after: number) => Promise<Feed | undefined>,
  onChanges: (feed: Feed) => void,
  onTrouble: (error: unknown) => void = () => {},
): Following & { readonly poke: () => void } {
  const waiting: (() => void)[] = []
  let position = since
  let poked = false
  let reading = false
  let ended = false
  let retry: NodeJS.Timeout | undefined

  /** Those who wait until a read that began after they asked has been handed on. */
  async function readOnce(): Promise<void> {
    const asked = waiting.splice(0)
    try {
      const feed = await read(position)
      if (ended) return
      if (feed !== undefined) {
        position = feed.sequence
        onChanges(feed)
      }
      for (const resolve of asked) resolve()
    } catch (error) {
      // A store that cannot be read now (locked, disk trouble) must not end the feed: it is asked again.
      waiting.push(...asked)
      onTrouble(error)
      retry = setTimeout(poke, RETRY_MILLISECONDS).unref()
    }
  }

  async function drain(): Promise<void> {
    reading = true
    while (poked && !ended) {
      poked = false
      await readOnce()
    }
    reading = false
  }

  function poke(): void {
    poked = true
    if (!reading && !ended) void drain()
  }

  function end(): void {
    ended = true
    clearTimeout(retry)
  }

  function caughtUp(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    waiting.push(resolve)
    poke()
    return promise
  }

  return { poke, caughtUp, end }
}
