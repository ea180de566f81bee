/** What of the Northbound is not written, and why. */
export interface Found {
  /** A row, or the database. */
  readonly where: string
  readonly message: string
}

export interface NorthboundTrouble extends Found {
  /** Milliseconds since 1970. */
  readonly since: number
  /** How often it was found in a row. */
  readonly times: number
}

/** The troubles after a look that found these. Pure. @param at  when it did */
export function stillFound(
  before: readonly NorthboundTrouble[],
  found: readonly Found[],
  at: number,
): readonly NorthboundTrouble[] {
  return found.map(({ where, message }) => {
    const known = before.find((each) => each.where === where)
    return { where, message, since: known?.since ?? at, times: (known?.times ?? 0) + 1 }
  })
}
