import type { Result } from './benchmark.ts'
import type { Provisioned } from './ovn-provisioning.ts'
import { CHANGES_A_SECOND } from './southbound.ts'
import { median } from './statistics.ts'
import type { Table } from './table.ts'

/** Of an agent, to its first answer. */
export interface Start {
  readonly milliseconds: number
  /** Of all its processes together, those that are still starting included. */
  readonly cpuMilliseconds: number
}

/** Of one agent, beside so many rows. */
export interface OvnFigures {
  readonly agent: string
  readonly rows: number
  readonly starts: readonly Start[]
  readonly pssKibibytes: number
  readonly processes: number
  readonly microsecondsARequest: number
  readonly restCpuPercent: number
  readonly churnCpuPercent: number
  readonly changesASecond: number
  readonly provisioned: readonly Provisioned[]
}

/** One line of the report. */
interface Row {
  readonly what: string
  readonly of: (figures: OvnFigures) => number
  readonly print: (value: number) => string
}

const milliseconds = (value: number) => (Number.isFinite(value) ? `${value.toFixed(value < 10 ? 1 : 0)} ms` : '–')
const percent = (value: number) => `${value.toFixed(1)} %`

/** Of what is measured several times. */
const spread = (what: string, values: (figures: OvnFigures) => readonly number[]): readonly Row[] => {
  const row = (name: string, sum: (values: readonly number[]) => number): Row => ({
    what: `${what}, ${name}`,
    of: (figures) => sum(values(figures)),
    print: milliseconds,
  })
  return [row('median', median), row('worst', (each) => Math.max(...each))]
}

const provisioned = (what: string, pick: (one: Provisioned) => number) =>
  spread(`one more network: ${what}`, (figures) => figures.provisioned.map(pick))

const ROWS: readonly Row[] = [
  ...spread('start to first answer', ({ starts }) => starts.map((it) => it.milliseconds)),
  {
    what: 'CPU from start to first answer, median',
    of: ({ starts }) => median(starts.map((it) => it.cpuMilliseconds)),
    print: milliseconds,
  },
  { what: 'memory (PSS)', of: (it) => it.pssKibibytes / 1024, print: (value) => `${value.toFixed(1)} MB` },
  { what: 'CPU a request', of: (it) => it.microsecondsARequest / 1000, print: (value) => `${value.toFixed(2)} ms` },
  { what: 'CPU, cloud at rest', of: (it) => it.restCpuPercent, print: percent },
  { what: `CPU, ${CHANGES_A_SECOND} changes elsewhere a second`, of: (it) => it.churnCpuPercent, print: percent },
  ...provisioned('bound to the agent’s port in Open vSwitch', (it) => it.boundToPlugged),
  ...provisioned('bound to first answer', (it) => it.boundToAnswer),
  ...provisioned('ovs-vsctl add-port to first answer', (it) => it.addedToAnswer),
]

/** A table for each size of the cloud, and one that compares the sizes. Pure. */
export function ovnTables(
  figures: readonly OvnFigures[],
  { neutron, problem }: { readonly neutron: string | undefined; readonly problem: string | undefined },
): Pick<Result, 'tables' | 'notes'> {
  const sizes = [...Map.groupBy(figures, ({ rows }) => rows)]
  const ours = figures.filter(({ agent }) => agent === figures[0]?.agent)
  return {
    tables: [...sizes.map(([rows, agents]) => besideOneAnother(rows, agents)), growth(ours)],
    notes: [
      'CPU and memory are those of all processes of an agent together: of ours the agent, the one that answers guests and the socket keeper; of neutron’s the agent, its two workers, its helpers for root, and a haproxy for each network.',
      'The ports here are bound by ovn-controller, and switched by Open vSwitch in userspace; rows of elsewhere are written as northd would have. What the server takes to filter rows for each client is not counted.',
      'Bound: the moment that ovn-controller’s setting of `chassis` is announced by the Southbound. What OVN itself takes, for flows of the port that the agent plugs in, is in the time to the first answer.',
      `A guest looks for the address each 10 ms and gives its first connection 40 ms, each next one a fifth more, so that packets lost while OVN makes its flows cost little. Networks provisioned: ${figures.map(({ provisioned: { length } }) => length).join(', ')}.`,
      `Starts, each with nothing left of the one before: ${figures.map(({ starts: { length } }) => length).join(', ')}. Their CPU is that of processes that still run then, in steps of 10 ms.`,
      ...(neutron === undefined
        ? []
        : [
            `neutron-ovn-metadata-agent ${neutron}, with Debian’s settings; the agents take turns, each on a chassis of its own of the same cloud.`,
          ]),
      ...(problem === undefined ? [] : [problem]),
    ],
  }
}

function besideOneAnother(rows: number, agents: readonly OvnFigures[]): Table {
  const [ours, theirs] = agents
  const heading = ['what', ...agents.map(({ agent }) => agent), ...(theirs === undefined ? [] : ['ratio'])]
  const line = ({ what, of, print }: Row) => [
    what,
    ...agents.map((one) => print(of(one))),
    ...(ours === undefined || theirs === undefined ? [] : [ratioText(of(ours), of(theirs))]),
  ]
  return { caption: `${rows} rows of Port_Binding, 50 of them bound here`, rows: [heading, ...ROWS.map(line)] }
}

/** Of ours alone: whether the size of the cloud matters. */
function growth(sizes: readonly OvnFigures[]): Table {
  const [small, large] = sizes
  const heading = ['what', ...sizes.map(({ rows }) => `${rows} rows`), 'difference']
  const line = ({ what, of, print }: Row) => [
    what,
    ...sizes.map((one) => print(of(one))),
    small === undefined || large === undefined ? '' : difference(of(small), of(large)),
  ]
  return { caption: 'firstboot, by the size of the cloud', rows: [heading, ...ROWS.map(line)] }
}

function ratioText(ours: number, theirs: number): string {
  return ours > 0 && Number.isFinite(theirs) ? `1 : ${(theirs / ours).toFixed(theirs / ours < 10 ? 1 : 0)}` : '–'
}

function difference(small: number, large: number): string {
  return small > 0 ? `${large >= small ? '+' : '–'}${Math.abs((large / small - 1) * 100).toFixed(0)} %` : '–'
}
