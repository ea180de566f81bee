import { printable } from '../flight/line.ts'
import type { Terminal } from '../terminal.ts'
import type { Boot, TimelineEvent } from './events.ts'

const BAR_COLUMNS = 24

const COLOURS = { lease: 'cyan', contact: 'cyan', document: 'green', failure: 'red', silence: 'dim' } as const
export const MARKS: Readonly<Record<TimelineEvent['kind'], string>> = {
  lease: '◆',
  contact: '●',
  document: '▪',
  failure: '✕',
  silence: '·',
}

/** One line an event: when, where in the whole, what. */
export function drawBoot({ events }: Boot, paint: Terminal['paint']): readonly string[] {
  const end = Math.max(1, ...events.map(({ at, took }) => at + took))
  return events.map((event) => {
    const { at, took, kind, text } = event
    const seconds = `${(at / 1000).toFixed(3)} s`.padStart(10)
    const lasted = took === 0 ? ''.padStart(10) : `${took.toFixed(1)} ms`.padStart(10)
    return `${paint('dim', seconds)}  ${bar(event, end, paint)}  ${lasted}  ${paint(COLOURS[kind], MARKS[kind])} ${printable(text)}`
  })
}

function bar({ at, took, kind }: TimelineEvent, end: number, paint: Terminal['paint']): string {
  const from = Math.min(BAR_COLUMNS - 1, Math.floor((at / end) * BAR_COLUMNS))
  const length = Math.max(1, Math.min(BAR_COLUMNS - from, Math.round((took / end) * BAR_COLUMNS)))
  return `${' '.repeat(from)}${paint(COLOURS[kind], MARKS[kind].repeat(length))}${' '.repeat(BAR_COLUMNS - from - length)}`
}
