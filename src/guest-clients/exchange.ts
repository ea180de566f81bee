/** One request of a guest and how it ended. */
export interface Exchange {
  readonly method: string
  /** Normalised, without query: `/latest/meta-data`. */
  readonly path: string
  /** As received; undefined when the client does not name itself. */
  readonly userAgent: string | undefined
  /** null: the connection was cut before a status. */
  readonly status: number | null
  /** The guest got the whole of the answer that its record has: nothing was replaced, left out or cut off on the way. */
  readonly isWhole: boolean
}
