import type { BatchMeasured, DriveMeasured } from './config-drive.ts'
import { median, ratio } from './statistics.ts'
import type { Table } from './table.ts'

export function configDriveTables(
  measured: readonly DriveMeasured[],
  batches: readonly BatchMeasured[],
): readonly Table[] {
  return [
    {
      caption: 'One drive, in µs',
      rows: [
        ['drive', 'beside', 'their wall', 'our wall', 'ratio', 'their CPU', 'our CPU', 'ratio'],
        ...measured.map(({ what, programs, theirWall, ourWall, theirCpu, ourCpu }) => [
          what,
          programs,
          ...figures(theirWall, ourWall),
          ...figures(theirCpu, ourCpu),
        ]),
      ],
    },
    {
      caption: 'A batch of drives, one process',
      rows: [
        ['drive', 'drives', 'seconds', 'MiB of PSS'],
        ...batches.map(({ format, drives, seconds, pssKibibytes }) => [
          format,
          `${drives}`,
          seconds.toFixed(1),
          (pssKibibytes / 1024).toFixed(0),
        ]),
      ],
    },
  ]
}

function figures(theirs: readonly number[], ours: readonly number[]): readonly string[] {
  return [median(theirs).toFixed(0), median(ours).toFixed(0), ratio(ours, theirs).median.toFixed(3)]
}
