import type { Measured, Sample } from './guest-request.ts'
import { median, ratio } from './statistics.ts'
import type { Table } from './table.ts'

export function guestRequestTables(measured: readonly Measured[]): readonly Table[] {
  const named = ({ path, bytes, mode }: Measured) => [path, `${bytes}`, mode]
  const heading = ['document', 'bytes', 'connections']
  return [
    {
      caption: 'CPU time of the server per request, in µs (aim: at most 3 times haproxy’s)',
      rows: [
        [...heading, 'haproxy', 'node:http', 'firstboot', 'to haproxy', 'smallest', 'largest', 'to node:http'],
        ...measured.map((each) => [...named(each), ...cpu(each)]),
      ],
    },
    {
      caption: 'Latency of a guest that is alone, in µs',
      rows: [
        [...heading, 'haproxy p50', 'firstboot p50', 'ratio', 'haproxy p99', 'firstboot p99', 'ratio'],
        ...measured.map((each) => [...named(each), ...latency(each, 'p50'), ...latency(each, 'p99')]),
      ],
    },
  ]
}

function cpu({ haproxy, node, firstboot }: Measured): readonly string[] {
  const [theirs, bare, ours] = [haproxy, node, firstboot].map((samples) =>
    samples.map(({ cpuPerRequest }) => cpuPerRequest),
  ) as [number[], number[], number[]]
  const { median: middle, smallest, largest } = ratio(ours, theirs)
  const ratios = [middle, smallest, largest, ratio(ours, bare).median]
  return [...[theirs, bare, ours].map((costs) => round(median(costs))), ...ratios.map(twoDigits)]
}

/** Of the quietest round: whatever else the machine does can only add to it. */
function latency({ haproxy, firstboot }: Measured, percentile: 'p50' | 'p99'): readonly string[] {
  const quietest = (samples: readonly Sample[]) => Math.min(...samples.map(({ alone }) => alone[percentile]))
  const [ours, theirs] = [quietest(firstboot), quietest(haproxy)]
  return [round(theirs), round(ours), twoDigits(ours / theirs)]
}

function round(microseconds: number): string {
  return microseconds.toFixed(microseconds < 100 ? 1 : 0)
}

function twoDigits(number: number): string {
  return number.toFixed(2)
}
