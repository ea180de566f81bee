/** What becomes known of a request on its way through this process, filled in by whoever learns it: for the flight recorder
 *  and the metrics. Where nobody records there is none. */
export interface Trace {
  /** The instance it was answered for, by id. */
  instance?: string
  /** Where the proxy's socket is: `network <id>` or `router <id>`. */
  within?: string
  /** The guest's address, where a hop of ours told it. */
  from?: string
  /** Our name for what went wrong: `instance-unknown`. */
  problem?: string
  /** Milliseconds by stage, in the order they were reached. The names come from our code, never from a guest. */
  readonly stages: Record<string, number>
}

/** Takes the time of a stage, whether it succeeds or not. */
export async function timed<T>(trace: Trace | undefined, stage: string, act: () => Promise<T>): Promise<T> {
  if (trace === undefined) return act()
  const started = performance.now()
  try {
    return await act()
  } finally {
    trace.stages[stage] = performance.now() - started
  }
}
