// Of the whole package nothing else is used, and it takes a process 60 ms and 12 MB more.
import Client from 'undici/lib/dispatcher/client.js'

/** What is done with one connection. `release` gives it back: `isSound` if the answer came whole, so that another request
 *  may follow on it. */
export type Job = (connection: Client, release: (isSound: boolean) => void) => void

/**
 * Connections to one destination, each with one request at a time. (undici's own pool forgets the requests that wait in it
 * when connections end in unlucky ways; a fuzzer has shown it.)
 */
export interface Lanes {
  /** Does the job on a connection, at once or when one is free. @returns what withdraws it while it waits */
  use(job: Job): () => void
  /** Those in use end with their jobs. */
  close(): void
}

/** @param count  connections at a time */
export function openLanes(origin: string, options: Client.Options, count: number): Lanes {
  /** The one used last comes first: it is most likely open. */
  const free: Client[] = []
  const waiting = new Set<Job>()
  let used = 0
  let isClosed = false

  function start(job: Job): void {
    const connection = free.pop() ?? new Client(origin, options)
    used += 1
    let isReleased = false
    job(connection, (isSound) => {
      if (isReleased) return
      isReleased = true
      used -= 1
      if (isSound && !isClosed) free.push(connection)
      else void connection.destroy()
      const [next] = waiting
      if (next === undefined) return
      waiting.delete(next)
      start(next)
    })
  }

  return {
    use: (job) => {
      if (used < count) start(job)
      else waiting.add(job)
      return () => waiting.delete(job)
    },
    close: () => {
      isClosed = true
      for (const connection of free.splice(0)) void connection.destroy()
    },
  }
}
