import type { Result } from './benchmark.ts'
import type { Machine } from './machine.ts'
import { printTable } from './table.ts'

interface Reported extends Result {
  readonly title: string
  readonly seconds: number
}

/** A run as Markdown, as it is kept in results/. Pure. */
export function printReport(machine: Machine, results: readonly Reported[]): string {
  return [
    '# A run of the benchmarks',
    Object.entries(describe(machine))
      .map(([name, value]) => `- ${name}: ${value}`)
      .join('\n'),
    ...results.flatMap(({ title, seconds, tables, notes }) => [
      `## ${title}`,
      ...tables.map(printTable),
      notes.map((note) => `- ${note}`).join('\n'),
      `(${seconds} s)`,
    ]),
    '',
  ].join('\n\n')
}

function describe({ loadAverage, ...rest }: Machine): Readonly<Record<string, string>> {
  return { ...rest, 'load average before': loadAverage }
}
