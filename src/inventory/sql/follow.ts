import type { Feed } from '../store.ts'

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
): { readonly poke: () => void; readonly end: () => void } {
  let position = since
  let poked = false
  let reading = false
  let ended = false
  let retry: NodeJS.Timeout | undefined

  /** A store that cannot be read now (locked, disk trouble) must not end the feed: it is asked again. */
  async function readOrRetryLater(): Promise<Feed | undefined> {
    try {
      return await read(position)
    } catch (error) {
      onTrouble(error)
      retry = setTimeout(poke, RETRY_MILLISECONDS).unref()
      return undefined
    }
  }

  async function drain(): Promise<void> {
    reading = true
    while (poked && !ended) {
      poked = false
      const feed = await readOrRetryLater()
      if (feed === undefined || ended) continue
      position = feed.sequence
      onChanges(feed)
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

  return { poke, end }
}
