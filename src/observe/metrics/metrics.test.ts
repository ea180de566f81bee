import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Counter, Histogram, Registry } from 'prom-client'
import { familyText } from './exposition.ts'
import { noMetrics, openMetrics } from './metrics.ts'
import { METRICS, type MetricRow } from './rows.ts'
import { histogramSeries, numberSeries, observe } from './series.ts'

const ROWS: readonly MetricRow[] = Object.values(METRICS)
const opened = (dropped = 0) =>
  openMetrics({ version: '1.2.3', recorderDropped: () => dropped, now: () => new Date(1_800_000_000_000) })
const REQUEST = { method: 'GET', path: '/openstack/latest/meta_data.json', status: 200, milliseconds: 0.3 }

/** The value of one line of the page. */
function sample(page: string, line: string): number | undefined {
  const found = page.split('\n').find((each) => each.startsWith(`${line} `))
  return found === undefined ? undefined : Number(found.slice(line.length + 1))
}

describe('what is told', () => {
  const metrics = opened(7)
  metrics.request({ ...REQUEST, stages: { resolve: 0.2, render: 0.1 } })
  metrics.request({ ...REQUEST, stages: { resolve: 40 }, milliseconds: 41 })
  metrics.request({ method: 'BREW', path: '/a/b', status: 404, milliseconds: 1, stages: {}, problem: 'no-such-path' })
  metrics.request({ ...REQUEST, status: 418, stages: {} })
  metrics.resolved('found')
  metrics.portLookup(false)
  metrics.held(8_000, false)
  metrics.limited('delayed', 250)
  metrics.vendorData({ target: 'site', outcome: 'answered', milliseconds: 30 })
  metrics.vendorData({ target: 'site', outcome: 'busy', milliseconds: 2_000 })
  metrics.reconciled({ done: [{ command: { kind: 'netns-add' } }], failed: [] }, 20)
  metrics.reconciled({ done: [], failed: [{ command: undefined }] }, 20)
  metrics.reconciled({ done: [], failed: [] }, 2)
  metrics.reconciled(undefined, 2)
  metrics.drifted('dnsmasq of qdhcp-1 ended')
  metrics.drifted('namespace qdhcp-dnsmasq-less was deleted')
  metrics.drifted('all sockets were lost')
  metrics.drifted('the moon')
  metrics.restarted('metadata-proxy')
  metrics.serving({ networks: 2, namespaces: 3, ports: 4, unserved: 1 })
  const database = { database: 'OVN_Southbound', isSynchronized: true, rows: new Map([['Port_Binding', 50]]) }
  metrics.databases(() => [{ ...database, synchronizations: new Map([['monitor_cond_since', 2]]) }])
  const page = metrics.page()

  const cases: readonly (readonly [line: string, want: number])[] = [
    ['firstboot_requests_total{path="meta_data.json",method="GET",status="200"}', 2],
    ['firstboot_requests_total{path="meta_data.json",method="GET",status="4xx"}', 1],
    ['firstboot_requests_total{path="other",method="other",status="404"}', 1],
    ['firstboot_request_duration_seconds_bucket{path="meta_data.json",le="0.00025"}', 0],
    ['firstboot_request_duration_seconds_bucket{path="meta_data.json",le="0.0005"}', 2],
    ['firstboot_request_duration_seconds_bucket{path="meta_data.json",le="+Inf"}', 3],
    ['firstboot_request_stage_duration_seconds_count{stage="resolve"}', 2],
    ['firstboot_request_problems_total{problem="no-such-path"}', 1],
    ['firstboot_resolutions_total{outcome="found"}', 1],
    ['firstboot_resolutions_total{outcome="no-port"}', 0],
    ['firstboot_port_directory_lookups_total{cache="miss"}', 1],
    ['firstboot_holds_total{held="unavailable"}', 1],
    ['firstboot_hold_duration_seconds_sum', 8],
    ['firstboot_limited_requests_total{limit="delayed"}', 1],
    ['firstboot_limiter_delay_seconds_total', 0.25],
    ['firstboot_vendor_data_calls_total{target="site",answer="busy"}', 1],
    ['firstboot_vendor_data_call_duration_seconds_count{target="site"}', 1],
    ['firstboot_reconcile_passes_total{result="changed"}', 1],
    ['firstboot_reconcile_passes_total{result="failed"}', 2],
    ['firstboot_reconcile_passes_total{result="clean"}', 1],
    ['firstboot_reconcile_commands_total{command="netns-add",done="done"}', 1],
    ['firstboot_reconcile_commands_total{command="observe",done="failed"}', 1],
    ['firstboot_reconcile_last_success_timestamp_seconds', 1_800_000_000],
    ['firstboot_drift_total{drift="dnsmasq"}', 2],
    ['firstboot_drift_total{drift="sockets"}', 1],
    ['firstboot_drift_total{drift="other"}', 1],
    ['firstboot_program_restarts_total{program="metadata-proxy"}', 1],
    ['firstboot_networks', 2],
    ['firstboot_ports', 4],
    ['firstboot_networks_unserved', 1],
    ['firstboot_ovsdb_synchronized{database="OVN_Southbound"}', 1],
    ['firstboot_ovsdb_synchronizations_total{database="OVN_Southbound",monitor="monitor_cond_since"}', 2],
    ['firstboot_ovsdb_rows{database="OVN_Southbound",table="Port_Binding"}', 50],
    ['firstboot_flight_records_dropped_total', 7],
    [`firstboot_build_info{version="1.2.3",node_version="${process.versions.node}"}`, 1],
  ]
  for (const [line, want] of cases) it(`${line} is ${want}`, () => assert.equal(sample(page, line), want))

  it('counts CPU, memory and descriptors of this process', () => {
    for (const name of ['process_cpu_seconds_total', 'process_resident_memory_bytes', 'process_open_fds'])
      assert.ok((sample(page, name) ?? 0) > 0, name)
  })
})

/** What `promtool check metrics` complains of: units that are no base units or are cut short, the kind in the name, and
 *  endings that belong to the samples of histograms. */
const COMPLAINTS = [
  /_(milli|micro|nano|kilo|mega|giga|kibi|mebi)?(minutes|hours|days|weeks|bits|percent|grams)(_|$)/,
  /_(milli|micro|nano|kilo|mega|giga|kibi|mebi)(seconds|bytes|metres)(_|$)/,
  /_(s|ms|us|ns|sec|secs|min|mins|h|b|kb|mb|gb|pct)(_|$)/,
  /_(counter|gauge|histogram|summary)(_|$)/,
  /_(bucket|count|sum)$/,
]

describe('the rows', () => {
  for (const { name, kind, help, labels, buckets = [] } of ROWS)
    it(`${name} keeps the conventions`, () => {
      assert.match(name, /^(firstboot|process)_[a-z_]+$/)
      assert.equal(name.endsWith('_total'), kind === 'counter')
      for (const unwanted of COMPLAINTS) assert.doesNotMatch(name, unwanted)
      for (const label of labels) assert.doesNotMatch(label, /^(le|quantile|daemon)$/)
      if (kind === 'histogram') assert.match(name, /_seconds$/)
      assert.match(help, /^[A-Z].*\.$/)
      assert.equal(buckets.length > 0, kind === 'histogram')
      assert.deepEqual(
        buckets.toSorted((a, b) => a - b),
        buckets,
      )
    })

  it('have names of their own', () => assert.equal(new Set(ROWS.map(({ name }) => name)).size, ROWS.length))
})

it('grows by nothing that a guest sends', () => {
  const metrics = opened()
  const ask = (i: number) =>
    metrics.request({
      method: `M${i}`,
      path: `/2009-04-04/meta-data/x${i}/${i}`,
      status: 100 + (i % 900),
      milliseconds: 1,
      stages: {},
    })
  for (let i = 0; i < 1_000; i += 1) ask(i)
  const lines = metrics.page().split('\n').length
  for (let i = 1_000; i < 20_000; i += 1) ask(i)
  assert.equal(metrics.page().split('\n').length, lines)
})

it('keeps the series of one metric bounded even where a label was thought to be', () => {
  const metrics = opened()
  for (let i = 0; i < 10_000; i += 1) metrics.restarted(`program-${i}`)
  const page = metrics.page()
  assert.ok(page.split('\n').length < 2_500)
  assert.equal(sample(page, 'firstboot_program_restarts_total{program="other"}'), 8_000)
})

describe('the text, as prom-client writes it', () => {
  it('of a counter whose label needs escapes', async () => {
    const row: MetricRow = { name: 'a_total', kind: 'counter', help: 'A\\B\nC', labels: ['program'] }
    const registry = new Registry()
    const foreign = new Counter({ name: 'a_total', help: row.help, labelNames: ['program'], registers: [registry] })
    const own = numberSeries(row)
    for (const [value, times] of [
      ['plain', 3],
      ['q"\\\n', 2.5],
    ] as const) {
      foreign.inc({ program: value }, times)
      own.at(value).value += times
    }
    assert.equal(familyText(own), await registry.metrics())
  })

  it('of a histogram', async () => {
    const buckets = [0.001, 0.5, 2]
    const row: MetricRow = { name: 'a_seconds', kind: 'histogram', help: 'A.', labels: ['stage'], buckets }
    const registry = new Registry()
    const labelNames = ['stage']
    const foreign = new Histogram({ name: 'a_seconds', help: row.help, labelNames, buckets, registers: [registry] })
    const own = histogramSeries(row)
    for (const [stage, value] of [
      ['x', 0.001],
      ['x', 0.0011],
      ['x', 99],
      ['y', 0],
    ] as const) {
      foreign.observe({ stage }, value)
      observe(own, own.at(stage), value)
    }
    assert.deepEqual(lines(familyText(own)), lines(await registry.metrics()))
  })

  /** The order of labels, which has no meaning, is another. */
  const lines = (text: string) =>
    text
      .split('\n')
      .map((line) => line.replace(/\{(.*)\}/, (_, labels: string) => `{${labels.split(',').sort().join(',')}}`))
      .filter((line) => line !== '')
})

it('can be told to nobody', () => {
  noMetrics.request({ ...REQUEST, stages: {} })
  assert.equal(noMetrics.page(), '')
})
