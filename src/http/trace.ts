/** What becomes known of a request on its way through this process, filled in by whoever learns it: for the flight recorder
 *  and the metrics. Where nobody records there is none. */
export interface Trace {
  /** The instance it was answered for, by id. */
  instance?: string | undefined
  /** Where the proxy's socket is: `network <id>` or `router <id>`. */
  within?: string | undefined
  /** The guest's address, where a hop of ours told it. */
  from?: string | undefined
  /** Our name for what went wrong: `instance-unknown`. */
  problem?: string | undefined
  /** Milliseconds by stage, in the order they were reached. The names come from our code, never from a guest. None where
   *  nobody asks what became of the request. */
  readonly stages?: Record<string, number> | undefined
  /** The stage that is under way, and since when by `performance.now()`. */
  stage?: string | undefined
  since?: number
}

/** @param isTimed  somebody asks how long its stages took */
export function openTrace(isTimed: boolean): Trace {
  // All members from the start: adding them one by one costs more than all else that is done with them.
  return {
    instance: undefined,
    within: undefined,
    from: undefined,
    problem: undefined,
    stages: isTimed ? {} : undefined,
    stage: undefined,
    since: 0,
  }
}

/** A stage lasts until the next begins or the reply is there, however it comes. */
export function beginStage(trace: Trace | undefined, stage: string): void {
  if (trace?.stages === undefined) return
  const now = endStage(trace)
  trace.stage = stage
  trace.since = now
}

/** Ends the stage that is under way, if one is. @returns now */
export function endStage(trace: Trace): number {
  const now = performance.now()
  const { stages, stage, since = now } = trace
  if (stages !== undefined && stage !== undefined) stages[stage] = now - since
  trace.stage = undefined
  return now
}
