import assert from 'node:assert/strict'
import { it } from 'node:test'
import { mergedPages } from './merge.ts'
import { openMetrics } from './metrics.ts'

it('puts the samples of one metric together, each with its daemon, under one heading', () => {
  const up = '# HELP a_total A.\n# TYPE a_total counter\na_total{x="1"} 2\n# HELP b B.\n# TYPE b gauge\nb 3\n'
  const proxy =
    '# HELP b Other words.\n# TYPE b gauge\nb 4\n# HELP a_total A.\n# TYPE a_total counter\na_total{x="}\\" "} 5\n'
  assert.equal(
    mergedPages([
      { daemon: 'up', text: up },
      { daemon: 'metadata-proxy', text: proxy },
    ]),
    [
      '# HELP a_total A.',
      '# TYPE a_total counter',
      'a_total{daemon="up",x="1"} 2',
      'a_total{daemon="metadata-proxy",x="}\\" "} 5',
      '',
      '# HELP b B.',
      '# TYPE b gauge',
      'b{daemon="up"} 3',
      'b{daemon="metadata-proxy"} 4',
      '',
    ].join('\n'),
  )
})

it('leaves out what is no sample, and a metric that then has none', () => {
  const torn = '# HELP a A.\n# TYPE a gauge\n<html>\na{x="1} 2\na\n# HELP b B.\n# TYPE b gauge\nb 1\n'
  assert.deepEqual(mergedPages([{ daemon: 'up', text: torn }]).split('\n'), [
    '# HELP b B.',
    '# TYPE b gauge',
    'b{daemon="up"} 1',
    '',
  ])
})

it('loses no sample of real pages', () => {
  const opened = () => openMetrics({ version: '1', recorderDropped: () => 0, now: () => new Date() })
  const [one, two] = [opened(), opened()]
  for (const each of [one, two])
    each.request({ method: 'GET', path: '/', status: 200, milliseconds: 0.2, stages: { render: 0.1 } })
  const pages = [
    { daemon: 'up', text: one.page() },
    { daemon: 'metadata-proxy', text: two.page() },
  ]
  const samples = (text: string) => text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  const merged = mergedPages(pages)
  assert.equal(samples(merged).length, pages.flatMap(({ text }) => samples(text)).length)
  const headings = merged.split('\n').filter((line) => line.startsWith('# TYPE'))
  assert.equal(new Set(headings).size, headings.length)
})
