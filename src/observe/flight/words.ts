/** How a record's values are written: as JSON has them, by hand where JSON.stringify and Date take several times as long. */

/** Text without anything that JSON escapes, and in ASCII. */
const PLAIN = /^[ !#-[\]-~]*$/

export function quoted(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text)
}

const THREE_DIGITS: readonly string[] = Array.from({ length: 1000 }, (_, i) => String(i).padStart(3, '0'))

/** To microseconds: `12.346`. @param number  not negative */
export function decimal(number: number): string {
  const thousandths = Math.round(number * 1000)
  const whole = Math.floor(thousandths / 1000)
  return `${whole}.${THREE_DIGITS[thousandths - whole * 1000]}`
}

/** ISO 8601 of now, with milliseconds. The seconds are worked out once each. */
export function isoClock(now: () => number = Date.now): () => string {
  let second = Number.NaN
  let text = ''
  return () => {
    const at = now()
    const whole = Math.floor(at / 1000)
    if (whole !== second) {
      second = whole
      text = new Date(whole * 1000).toISOString().slice(0, -'000Z'.length)
    }
    return `${text}${THREE_DIGITS[at - whole * 1000]}Z`
  }
}
