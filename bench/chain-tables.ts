import type { ChainMeasured } from './chain.ts'
import type { ChainSample } from './chain-load.ts'
import { median, ratio } from './statistics.ts'
import type { Table } from './table.ts'

export function chainTables(measured: readonly ChainMeasured[]): readonly Table[] {
  const named = ({ chain, workers, mode }: ChainMeasured) => [chain, mode, `${workers}`]
  const heading = ['chain', 'connections', 'workers']
  return [
    {
      caption: 'CPU time of all processes of the chain per request, in µs',
      rows: [
        [...heading, 'static', 'chain', 'ratio', 'smallest', 'largest'],
        ...measured.map((each) => [...named(each), ...cpu(each)]),
      ],
    },
    {
      caption: 'Latency under full load, in µs',
      rows: [
        [...heading, 'static p50', 'chain p50', 'ratio', 'static p99', 'chain p99', 'ratio'],
        ...measured.map((each) => [...named(each), ...latency(each, 'p50'), ...latency(each, 'p99')]),
      ],
    },
  ]
}

function cpu(measured: ChainMeasured): readonly string[] {
  const of = (samples: readonly ChainSample[]) => samples.map(({ cpuPerRequest }) => cpuPerRequest)
  const [ours, theirs] = [of(measured.ours), of(measured.static)]
  const { median: middle, smallest, largest } = ratio(ours, theirs)
  return [
    median(theirs).toFixed(1),
    median(ours).toFixed(1),
    ...[middle, smallest, largest].map((each) => each.toFixed(2)),
  ]
}

function latency(measured: ChainMeasured, percentile: 'p50' | 'p99'): readonly string[] {
  const of = (samples: readonly ChainSample[]) => samples.map(({ load }) => load[percentile])
  const [ours, theirs] = [of(measured.ours), of(measured.static)]
  return [median(theirs).toFixed(0), median(ours).toFixed(0), ratio(ours, theirs).median.toFixed(2)]
}
