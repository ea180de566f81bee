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
  /** For those who ask before the next read begins: one for all. */
  let next: PromiseWithResolvers<void> | undefined
  let position = since
  let poked = false
  let reading = false
  let ended = false
  /** While it is set nothing is read, however many ask. */
  let retry: NodeJS.Timeout | undefined

  async function readOnce(): Promise<void> {
    const asked = next
    next = undefined
    let feed: Feed | undefined
    try {
      feed = await read(position)
    } catch (error) {
      // A store that cannot be read now (locked, disk trouble) must not end the feed: it is asked again.
      asked?.reject(error)
      onTrouble(error)
      if (!ended) retry = setTimeout(readAgain, RETRY_MILLISECONDS).unref()
      return
    }
    if (feed !== undefined && !ended) {
      position = feed.sequence
      onChanges(feed)
    }
    asked?.resolve()
  }

  async function drain(): Promise<void> {
    reading = true
    while (poked && !ended && retry === undefined) {
      poked = false
      await readOnce()
    }
    reading = false
  }

  function readAgain(): void {
    retry = undefined
    poke()
  }

  function poke(): void {
    poked = true
    if (!reading && !ended && retry === undefined) void drain()
  }

  async function caughtUp(): Promise<void> {
    if (ended) throw new Error(FEED_ENDED)
    next ??= Promise.withResolvers<void>()
    const { promise } = next
    poke()
    return promise
  }

  function end(): void {
    ended = true
    clearTimeout(retry)
    next?.reject(new Error(FEED_ENDED))
  }

  return { poke, caughtUp, end }
}

const FEED_ENDED = 'the inventory is followed no longer'
