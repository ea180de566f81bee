import type { Compared } from './compare-peers.ts'
import type { Deviation } from './deviations.ts'

/** The parts of docs/compatibility.md that are made here. Pure. */

export function printDeviations(deviations: readonly Deviation[]): string {
  return printRows([
    ['Request', 'Nova', 'firstboot', 'Why'],
    ...deviations.map(({ what, nova, ours, why }) => [what, nova, ours, why]),
  ])
}

export function printLastResult(compared: Compared, seed: number, date: string): string {
  const facts = [
    ['Date', date],
    ['Nova', `${compared.release}, under eventlet on SQLite`],
    ['Seed', `${seed}`],
    ['Instances', `${compared.instances}`],
    ['Requests', `${compared.requests}`],
    ['Unexplained differences', `${compared.findings.length}`],
    ['Deviations met', `${[...compared.met.values()].reduce((sum, count) => sum + count, 0)} times, as listed below`],
  ]
  return printRows([['The last run', ''], ...facts])
}

/** @param rows  the heading first */
function printRows(rows: readonly (readonly string[])[]): string {
  const [heading = [], ...body] = rows
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(heading), `|${'---|'.repeat(heading.length)}`, ...body.map(line)].join('\n')
}

/** What stands between `<!-- NAME -->` and `<!-- /NAME -->`. */
export function sectionOf(page: string, name: string): string {
  return place(page, name).text
}

export function withSection(page: string, name: string, text: string): string {
  const { before, after } = place(page, name)
  return `${before}\n\n${text}\n\n${after}`
}

function place(page: string, name: string) {
  const [opening, closing] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
  const start = page.indexOf(opening) + opening.length
  const end = page.indexOf(closing)
  if (start < opening.length || end < start) throw new Error(`the page has no section ${name}`)
  return { before: page.slice(0, start), text: page.slice(start, end).trim(), after: page.slice(end) }
}
