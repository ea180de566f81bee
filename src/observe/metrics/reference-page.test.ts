import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { LABELS, type LabelName } from './labels.ts'
import { referenceTables } from './reference-page.ts'
import { METRICS, type MetricRow } from './rows.ts'

const page = new URL('../../../docs/metrics.md', import.meta.url)
const ROWS: readonly MetricRow[] = Object.values(METRICS)

/** Everything from the first section on is made of the rows; what stands before it is written by hand. */
test('docs/metrics.md has the metrics there are, as their rows say them', () => {
  const text = readFileSync(page, 'utf8')
  const start = text.indexOf('\n## Metrics\n')
  const wanted = (start === -1 ? text : text.slice(0, start + 1)) + referenceTables()
  if (process.env['UPDATE'] === '1') writeFileSync(page, wanted)
  else assert.equal(text, wanted, 'docs/metrics.md is out of date: run this test with UPDATE=1')
})

describe('the Grafana dashboard', () => {
  interface Panel {
    readonly title: string
    readonly type: string
    readonly id: number
    readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[]
  }
  const dashboard = JSON.parse(
    readFileSync(new URL('../../../packaging/grafana/firstboot.json', import.meta.url), 'utf8'),
  ) as { readonly panels: readonly Panel[] }
  const targets = dashboard.panels.flatMap(({ title, targets: asked = [] }) =>
    asked.map((each) => ({ title, ...each })),
  )
  const named = (expr: string) => [...expr.matchAll(/\b(?:firstboot|process)_[a-z_]+/g)].map(([name]) => name)

  test('asks for something in every panel', () => {
    assert.ok(targets.length > 20)
    const asleep = dashboard.panels.filter(({ type, targets: asked }) => type !== 'row' && !asked?.length)
    assert.deepEqual(asleep, [])
    assert.equal(new Set(dashboard.panels.map(({ id }) => id)).size, dashboard.panels.length)
  })

  test('asks only for metrics and labels that exist', () => {
    const samples = new Map(
      ROWS.flatMap((row) => {
        const suffixes = row.kind === 'histogram' ? ['_bucket', '_sum', '_count'] : ['']
        return suffixes.map((suffix) => [row.name + suffix, row] as const)
      }),
    )
    for (const { title, expr, legendFormat } of targets) {
      const rows = named(expr).map((name) => samples.get(name) ?? assert.fail(`${title}: there is no ${name}`))
      const known = new Set<string>(['daemon', 'instance', 'le', ...rows.flatMap(({ labels }) => labels)])
      const asked = [
        ...[...expr.matchAll(/(\w+)=~?"/g)].map(([, label]) => label),
        ...[...expr.matchAll(/by \(([^)]*)\)/g)].flatMap(([, labels = '']) => labels.split(', ')),
        ...[...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label),
      ]
      for (const label of asked) assert.ok(known.has(label ?? ''), `${title}: no label ${label}`)
    }
  })

  test('filters by values that a label can have', () => {
    const filters = targets.flatMap(({ expr }) => [...expr.matchAll(/(\w+)(=~?)"([^"$]*)"/g)])
    assert.ok(filters.length > 0)
    for (const [filter, label = '', operator, wanted = ''] of filters) {
      const values: readonly string[] | string = LABELS[label as LabelName]
      const pattern = new RegExp(`^(?:${wanted})$`)
      const isMeant = (value: string) => (operator === '=~' ? pattern.test(value) : value === wanted)
      if (typeof values !== 'string') assert.ok(values.some(isMeant), filter)
    }
  })

  test('shows every metric', () => {
    const shown = new Set(
      targets.flatMap(({ expr }) => named(expr)).map((name) => name.replace(/_(bucket|sum|count)$/, '')),
    )
    assert.deepEqual(
      ROWS.map(({ name }) => name).filter((name) => !shown.has(name)),
      [],
    )
  })
})

test('every label is of some metric', () => {
  const used = new Set<string>(ROWS.flatMap(({ labels }) => labels))
  assert.deepEqual(
    Object.keys(LABELS).filter((label) => !used.has(label)),
    [],
  )
})
