import type { Severity } from '../../doctor/check.ts'
import type { Examined } from '../../doctor/examine.ts'
import type { Colour, Terminal } from '../terminal.ts'

const COLOURS: Readonly<Record<Severity, Colour>> = { ok: 'green', warning: 'yellow', error: 'red', unknown: 'dim' }

/** A line for what is well, three for what is not; what could not be looked at stands at the end. */
export function doctorLines(examined: readonly Examined[], paint: Terminal['paint']): readonly string[] {
  const width = Math.max(...examined.map(({ check }) => check.length))
  const told = examined.filter(({ severity }) => severity !== 'unknown')
  const untold = examined.filter(({ severity }) => severity === 'unknown')
  const lines = (each: Examined) => [
    `${paint(COLOURS[each.severity], each.severity.padEnd('unknown'.length))}  ${each.check.padEnd(width)}  ${printable(each.observed)}`,
    ...(each.mend === undefined
      ? []
      : [`         expected: ${each.expected}`, `         mend: ${printable(each.mend)}`]),
  ]
  return [...told, ...untold].flatMap(lines)
}

/** `2 errors, 1 warning; 3 checks could not be made (run as root for more).` */
export function doctorSummary(examined: readonly Examined[]): string {
  const count = (severity: Severity) => examined.filter((each) => each.severity === severity).length
  const bad = [plural(count('error'), 'error'), plural(count('warning'), 'warning')].filter((text) => text[0] !== '0')
  const untold = count('unknown')
  const more = untold === 0 ? '' : `; ${plural(untold, 'check')} could not be made (root sees more)`
  return `${bad.join(', ') || 'nothing wrong'}${more}.`
}

function plural(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}

/** Names of processes and files are whoever's who made them. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '?')
}
