/** The middle one; the mean of the middle two. NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  return ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2
}

/** Of what was measured side by side: round by round, so that what slows a whole round down cancels out. */
export interface Ratio {
  readonly median: number
  readonly smallest: number
  readonly largest: number
}

/** @param ours  one value a round, as many as `theirs` */
export function ratio(ours: readonly number[], theirs: readonly number[]): Ratio {
  const ratios = ours.map((value, round) => value / (theirs[round] ?? Number.NaN))
  return { median: median(ratios), smallest: Math.min(...ratios), largest: Math.max(...ratios) }
}

/** The middle, and between what bounds the middle half lies. */
export function quartiles(values: readonly number[]): readonly [middle: number, lower: number, upper: number] {
  const sorted = [...values].sort((a, b) => a - b)
  const half = Math.floor(sorted.length / 2)
  return [median(sorted), median(sorted.slice(0, half)), median(sorted.slice(-half))]
}
