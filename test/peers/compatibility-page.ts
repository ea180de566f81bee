import type { Compared } from './compare-peers.ts'
import type { Deviation } from './deviations.ts'
import type { Combination } from './neutron/combinations.ts'

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

/** Each agent with each metadata API, as guests of the real Neutron met them. */
export function printCombinations(
  combinations: readonly Combination[],
  isDirectoryGood: boolean,
  date: string,
): string {
  const named = { real: 'Debian’s', ours: 'firstboot’s' }
  const rows = combinations.map(({ agent, api, requests, differences }) => [
    named[agent],
    named[api],
    `${requests}`,
    differences.length === 0 ? 'none' : differences.join('; '),
  ])
  const table = printRows([['Metadata agent', 'Metadata API', 'Requests of guests', 'Differences'], ...rows])
  const directory = isDirectoryGood ? 'passed' : 'FAILED'
  return `${table}\n\nThe contract of port directories against the real neutron-server: ${directory}. Last run: ${date}.`
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
