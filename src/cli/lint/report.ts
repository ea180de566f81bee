import { type Finding, placeText, type Severity } from '../../lint/finding.ts'
import type { Terminal } from '../terminal.ts'
import type { Examined } from './examine-servers.ts'

export function count(examined: readonly Examined[], severity: Severity): number {
  return examined.flatMap(({ findings }) => findings).filter((finding) => finding.severity === severity).length
}

/** Three lines a finding: what and where, whom it breaks and how, what to do. */
export function findingLines(examined: readonly Examined[], paint: Terminal['paint']): readonly string[] {
  return examined.flatMap(({ server, findings }) =>
    findings.flatMap(({ severity, place, problem, breaks, how, mend }) => [
      `${paint(severity === 'error' ? 'red' : 'yellow', severity)}: ${server.name}: ${placeText(place)}: ${problem}`,
      `    breaks ${breaks.join(', ')}: ${how}`,
      `    mend: ${mend}`,
    ]),
  )
}

/** `4 servers examined: 1 error, 2 warnings.` */
export function summary(examined: readonly Examined[]): string {
  const numbers = (['error', 'warning'] as const)
    .map((severity) => plural(count(examined, severity), severity))
    .filter((text) => !text.startsWith('0 '))
  return `${plural(examined.length, 'server')} examined: ${numbers.join(', ') || 'nothing wrong'}.`
}

function plural(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}

/** For programs: one entry a finding, which tells its server. */
export function findingsJson(examined: readonly Examined[]): readonly (Finding & { readonly server: object })[] {
  return examined.flatMap(({ server: { id, name }, findings }) =>
    findings.map((finding) => ({ server: { id, name }, ...finding })),
  )
}
