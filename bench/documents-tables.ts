import type { Measured } from './documents.ts'
import type { MeasuredBeside } from './documents-nova.ts'
import { median, ratio } from './statistics.ts'
import type { Table } from './table.ts'

export function documentTables(measured: readonly Measured[], beside: readonly MeasuredBeside[]): readonly Table[] {
  const byInstances: Table = {
    caption: 'CPU time of the server per document or crawl, in µs (it must not grow with the instances)',
    rows: [
      ['document', 'instances', 'of whom ask', 'haproxy', 'firstboot', 'ratio', 'a second and core'],
      ...measured.map(({ document, instances, asking, haproxy, firstboot }) => [
        document,
        `${instances}`,
        `${asking}`,
        ...figures(haproxy, firstboot),
        (1e6 / median(firstboot)).toFixed(0),
      ]),
    ],
  }
  const besideNova: Table = {
    caption: 'CPU time beside the real Nova under uWSGI, one instance, in µs',
    rows: [
      ['document', 'Nova', 'firstboot', 'ratio'],
      ...beside.map(({ document, nova, firstboot }) => [document, ...figures(nova, firstboot)]),
    ],
  }
  return beside.length === 0 ? [byInstances] : [byInstances, besideNova]
}

function figures(theirs: readonly number[], ours: readonly number[]): readonly string[] {
  return [median(theirs).toFixed(1), median(ours).toFixed(1), ratio(ours, theirs).median.toFixed(2)]
}
