/** Something that must hold for a process to be well. */
export interface Condition {
  readonly name: string
  /** @returns undefined when it holds, otherwise why it does not */
  readonly whyNot: () => string | undefined
}

/** What was found of one condition. */
export interface Finding {
  readonly name: string
  readonly isWell: boolean
  /** `ok`, or why not. */
  readonly says: string
}

/** Looks at all. One that cannot be looked at does not hold. */
export function examine(conditions: readonly Condition[]): readonly Finding[] {
  return conditions.map(({ name, whyNot }) => {
    const reason = answerOf(whyNot)
    return { name, isWell: reason === undefined, says: reason ?? 'ok' }
  })
}

function answerOf(whyNot: Condition['whyNot']): string | undefined {
  try {
    return whyNot()
  } catch (cause) {
    return `it cannot be told: ${cause instanceof Error ? cause.message : String(cause)}`
  }
}

/** Work that comes back again and again; one that stays away is stuck, although the process still answers. */
export interface Heartbeat extends Condition {
  beat(): void
}

/**
 * @param now  milliseconds of a clock that is never set back
 * @param limit  milliseconds between two beats after which the work is taken to be stuck
 */
export function heartbeat(name: string, limit: number, now: () => number = () => performance.now()): Heartbeat {
  let last = now()
  return {
    name,
    beat: () => {
      last = now()
    },
    whyNot: () => {
      const silent = now() - last
      return silent > limit ? `nothing was heard of it for ${Math.round(silent / 1000)} s` : undefined
    },
  }
}

/** The inventory has been read: before that every answer could be a wrong 404. */
export function inventoryIsRead(ready: Promise<void>): Condition {
  let state = 'it is being read'
  ready.then(
    () => {
      state = ''
    },
    (cause: unknown) => {
      state = `it cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`
    },
  )
  return { name: 'inventory', whyNot: () => state || undefined }
}

/** @param count  how many should be open and how many are; undefined while that is not known */
export function socketsAreOpen(count: () => { readonly wanted: number; readonly open: number } | undefined): Condition {
  return {
    name: 'sockets',
    whyNot: () => {
      const counted = count()
      if (counted === undefined) return 'it is not known yet which are needed'
      const { wanted, open } = counted
      return open < wanted ? `${open} of ${wanted} are open` : undefined
    },
  }
}

/** As much of a reconciler's report as is said about it. */
export interface LastPass {
  readonly failed: readonly { readonly where: string; readonly cause: Error }[]
}

/** @param last  the report of the last pass; its error when it could not even look; undefined before the first */
export function reconciles(last: () => LastPass | Error | undefined): Condition {
  return {
    name: 'reconcile',
    whyNot: () => {
      const report = last()
      if (report === undefined) return 'the first pass has not ended'
      if (report instanceof Error) return report.message
      const [first, ...more] = report.failed
      if (first === undefined) return undefined
      return `${first.where}: ${first.cause.message}${more.length === 0 ? '' : ` (and ${more.length} more)`}`
    },
  }
}
