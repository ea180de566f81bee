import type { Done, Failed, Report } from './reconcile.ts'

/** What was done in one place, and why. */
export interface Action extends Done {
  /** Milliseconds since 1970. */
  readonly at: number
}

/** What does not succeed in one place. */
export interface Trouble extends Failed {
  /** Of the first and the last time in a row, milliseconds since 1970. */
  readonly since: number
  readonly at: number
  readonly times: number
}

/** Remembered of one place, and places remembered: those of which nothing was heard for longest are forgotten first. */
const ACTIONS = 8
const PLACES = 4_096

/** The last actions and present troubles of each place (a namespace, a bridge, a network). */
export class History {
  readonly #actions = new Map<string, readonly Action[]>()
  #troubles: ReadonlyMap<string, Trouble> = new Map()

  /** Takes in the report of a pass that has just ended. */
  add({ done, failed }: Report, at: number): void {
    for (const each of done) {
      const before = this.#actions.get(each.where) ?? []
      this.#actions.delete(each.where)
      this.#actions.set(each.where, [...before, { ...each, at }].slice(-ACTIONS))
    }
    const places = this.#actions.keys()
    while (this.#actions.size > PLACES) this.#actions.delete(places.next().value ?? '')
    if (failed.length === 0 && this.#troubles.size === 0) return
    // What is not tried again has been put right, or is not wanted any more.
    this.#troubles = new Map(
      failed.map((each) => {
        const before = this.#troubles.get(each.where)
        return [each.where, { ...each, since: before?.since ?? at, at, times: (before?.times ?? 0) + 1 }]
      }),
    )
  }

  actionsOf(where: string): readonly Action[] {
    return this.#actions.get(where) ?? []
  }

  get troubles(): ReadonlyMap<string, Trouble> {
    return this.#troubles
  }
}
