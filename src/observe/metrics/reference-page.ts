import { LABELS, type LabelName } from './labels.ts'
import { METRICS, type MetricRow } from './rows.ts'

/** The tables of docs/metrics.md. Pure. */
export function referenceTables(): string {
  const rows: readonly MetricRow[] = Object.values(METRICS)
  return [
    '## Metrics',
    '',
    'Each also has the label `daemon`: which process of the host says it.',
    '',
    '| Metric | Kind | Labels | Meaning |',
    '|---|---|---|---|',
    ...rows.map(({ name, kind, labels, help }) => `| \`${name}\` | ${kind} | ${labelList(labels)} | ${help} |`),
    '',
    '## Labels',
    '',
    'No label holds anything a guest can choose: what is not in a list comes from the code or from the configuration.',
    '',
    '| Metric | Label | Values |',
    '|---|---|---|',
    ...rows.flatMap(({ name, labels }) => labels.map((label) => `| \`${name}\` | \`${label}\` | ${values(label)} |`)),
    '',
    '## Buckets',
    '',
    '| Histogram | Upper bounds in seconds |',
    '|---|---|',
    ...rows.flatMap(({ name, buckets }) => (buckets === undefined ? [] : [`| \`${name}\` | ${buckets.join(', ')} |`])),
    '',
  ].join('\n')
}

function labelList(labels: readonly LabelName[]): string {
  return labels.map((label) => `\`${label}\``).join(', ')
}

function values(label: LabelName): string {
  const known: readonly string[] | string = LABELS[label]
  return typeof known === 'string' ? known : known.map((value) => `\`${value}\``).join(', ')
}
