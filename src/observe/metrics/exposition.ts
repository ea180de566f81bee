import type { MetricRow } from './rows.ts'
import type { HistogramCell, Labelled, NumberCell, Series } from './series.ts'

/** Prometheus' text format, version 0.0.4. */
export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** One metric with all its series; nothing when it has none. */
export function familyText(series: Series<NumberCell> | Series<HistogramCell>): string {
  const { row } = series
  const lines = series.cells().flatMap((each: Labelled<NumberCell | HistogramCell>) => cellLines(row, each))
  return lines.length === 0 ? '' : [...heading(row), ...lines, ''].join('\n')
}

function heading({ name, kind, help }: MetricRow): readonly string[] {
  return [`# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`, `# TYPE ${name} ${kind}`]
}

function cellLines(row: MetricRow, { values, cell }: Labelled<NumberCell | HistogramCell>): readonly string[] {
  const pairs = row.labels.map((label, i) => pair(label, values[i] ?? ''))
  return 'value' in cell ? [sample(row.name, pairs, cell.value)] : histogramLines(row, pairs, cell)
}

function histogramLines({ name, buckets = [] }: MetricRow, pairs: readonly string[], { counts, sum }: HistogramCell) {
  let count = 0
  const lines = [...buckets, Number.POSITIVE_INFINITY].map((bound, i) => {
    count += counts[i] ?? 0
    return sample(`${name}_bucket`, [...pairs, pair('le', numberText(bound))], count)
  })
  return [...lines, sample(`${name}_sum`, pairs, sum), sample(`${name}_count`, pairs, count)]
}

function sample(name: string, pairs: readonly string[], value: number): string {
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${numberText(value)}`
}

export function pair(label: string, value: string): string {
  return `${label}="${value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')}"`
}

function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value)
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
}
