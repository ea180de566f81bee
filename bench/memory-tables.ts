import type { Held, MemoryFigures } from './memory.ts'
import type { Table } from './table.ts'

export function memoryTables({ emptyKibibytes, loadedKibibytes, firstboot, haproxy }: MemoryFigures): readonly Table[] {
  const without = { networks: 0, milliseconds: 0, isExtrapolated: false }
  const [ours, theirs] = [
    [{ ...without, pssKibibytes: loadedKibibytes }, ...firstboot],
    [{ ...without, pssKibibytes: 0 }, ...haproxy],
  ]
  return [
    {
      caption: 'Memory of all processes, PSS in MiB',
      rows: [
        ['networks', 'haproxy', 'firstboot', 'ratio'],
        ...pairs(theirs, ours).map(([their, our]) => [
          `${our.networks}`,
          marked(mebibytes(their.pssKibibytes), their),
          mebibytes(our.pssKibibytes),
          their.networks === 0 ? '–' : `${(our.pssKibibytes / their.pssKibibytes).toFixed(3)}`,
        ]),
      ],
    },
    {
      caption: 'One more network: memory in KiB of PSS, time in ms until it is listened to',
      rows: [
        ['between', 'haproxy KiB', 'firstboot KiB', 'ratio', 'haproxy ms', 'firstboot ms', 'ratio'],
        ...pairs(steps(theirs), steps(ours)).map(([their, our]) => [
          `${our.from} and ${our.to}`,
          marked(their.kibibytes.toFixed(0), their),
          our.kibibytes.toFixed(1),
          fraction(our.kibibytes, their.kibibytes),
          marked(their.milliseconds.toFixed(1), their),
          our.milliseconds.toFixed(3),
          fraction(our.milliseconds, their.milliseconds),
        ]),
      ],
    },
    {
      caption: 'Where firstboot starts from, PSS in MiB',
      rows: [
        ['inventory', 'PSS'],
        ['empty', mebibytes(emptyKibibytes)],
        [`${firstboot.at(-1)?.networks} networks with a guest each`, mebibytes(loadedKibibytes)],
      ],
    },
  ]
}

interface Step {
  readonly from: number
  readonly to: number
  readonly kibibytes: number
  readonly milliseconds: number
  readonly isExtrapolated: boolean
}

/** What one more network costs, between each count and the next. */
function steps(held: readonly Held[]): readonly Step[] {
  return pairs(held, held.slice(1)).map(([before, after]) => {
    const more = after.networks - before.networks
    return {
      from: before.networks,
      to: after.networks,
      kibibytes: (after.pssKibibytes - before.pssKibibytes) / more,
      milliseconds: (after.milliseconds - before.milliseconds) / more,
      isExtrapolated: after.isExtrapolated,
    }
  })
}

function pairs<A, B>(left: readonly A[], right: readonly B[]): readonly (readonly [A, B])[] {
  return right.flatMap((each, i) => {
    const other = left[i]
    return other === undefined ? [] : [[other, each] as const]
  })
}

function mebibytes(kibibytes: number): string {
  return (kibibytes / 1024).toFixed(1)
}

function fraction(ours: number, theirs: number): string {
  return `1 : ${(theirs / ours).toFixed(0)}`
}

function marked(figure: string, { isExtrapolated }: { readonly isExtrapolated: boolean }): string {
  return isExtrapolated ? `${figure} (extrapolated)` : figure
}
