import type { Clock } from './clock.ts'
import type { Remote } from './remote.ts'

/** Between rounds of attempts: 1 s, doubling to 8 s, as Open vSwitch's own clients wait. */
const FIRST_PAUSE_MILLISECONDS = 1_000
const LONGEST_PAUSE_MILLISECONDS = 8_000

/** Thousands of clients lose the same server at once; each waits up to a quarter less. */
const JITTER = 0.25

export interface ReconnectOptions {
  readonly remotes: readonly Remote[]
  /** Of [0, 1). */
  readonly random: () => number
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Connects and stays until the connection ends. @returns for how long, in milliseconds, it was of use */
  readonly attempt: (remote: Remote) => Promise<number>
  readonly onPause: (milliseconds: number) => void
}

/** Tries the remotes in random order, all of them before it pauses. After a good connection, which is one that lasted
 *  longer than the pause before it, it starts afresh and at once. Returns when the signal aborts. */
export async function keepConnected(options: ReconnectOptions): Promise<void> {
  let pause = FIRST_PAUSE_MILLISECONDS
  while (!options.signal.aborted) {
    if (await tryRound(options, pause)) {
      pause = FIRST_PAUSE_MILLISECONDS
      continue
    }
    if (options.signal.aborted) return
    const milliseconds = pause * (1 - JITTER * options.random())
    options.onPause(milliseconds)
    await waitFor(milliseconds, options)
    pause = Math.min(2 * pause, LONGEST_PAUSE_MILLISECONDS)
  }
}

/** @returns whether there was a good connection */
async function tryRound({ remotes, random, signal, attempt }: ReconnectOptions, pause: number): Promise<boolean> {
  for (const remote of shuffled(remotes, random)) {
    if (signal.aborted) return false
    if ((await attempt(remote)) >= pause) return true
  }
  return false
}

function shuffled<T>(items: readonly T[], random: () => number): readonly T[] {
  return items
    .map((item) => ({ item, rank: random() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ item }) => item)
}

async function waitFor(milliseconds: number, { clock, signal }: ReconnectOptions): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const forget = clock.after(milliseconds, resolve)
  signal.addEventListener('abort', () => resolve())
  await promise
  forget()
}
