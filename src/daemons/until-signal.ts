const SIGNALS = ['SIGINT', 'SIGTERM'] as const

/** What the work comes to, or undefined when a signal comes first: a daemon that still waits for something must end too. */
export async function unlessSignalled<T>(work: Promise<T>, signal: Promise<NodeJS.Signals>): Promise<T | undefined> {
  return await Promise.race([work, signal.then(() => undefined)])
}

/** Signals closer together than this are one: who signals the whole process group reaches us and also those above us, who
 *  pass it on. */
const MOMENT_MILLISECONDS = 500

/** Resolves with the signal that asks this process to end. Ending takes a while, in which a second signal is answered
 *  with a word and a third with the end. */
export function untilSignal(): Promise<NodeJS.Signals> {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>()
  let count = 0
  let last = Number.NEGATIVE_INFINITY
  const take = (signal: NodeJS.Signals) => {
    const now = performance.now()
    const isEcho = now - last < MOMENT_MILLISECONDS
    last = now
    if (isEcho) return
    count += 1
    if (count === 1) resolve(signal)
    else if (count === 2) process.stderr.write('Still ending. Once more to leave everything as it is now.\n')
    else process.exit(1)
  }
  for (const signal of SIGNALS) process.on(signal, take)
  return promise
}
