import type { ExplainedStep, Explanation } from '../../explain/explain.ts'
import type { Hop } from '../../explain/steps.ts'
import type { Colour, Terminal } from '../terminal.ts'

type State = ExplainedStep['state']

const COLOURS: Readonly<Record<State, Colour>> = {
  well: 'green',
  risk: 'yellow',
  broken: 'red',
  unknown: 'dim',
  absent: 'dim',
}
const MARKS: Readonly<Record<State, string>> = { well: 'ok', risk: '!', broken: 'X', unknown: '?', absent: '-' }
/** The worst of several is that of the hop: it is well as far as all of it was looked at. */
const WORST: readonly State[] = ['broken', 'risk', 'unknown', 'well', 'absent']

/** The verdict; then each port, where there are several. */
export function reportLines(
  whole: Explanation,
  ports: readonly Explanation[],
  paint: Terminal['paint'],
): readonly string[] {
  if (ports.length === 1) return explanationLines(whole, paint)
  const sections = ports.flatMap((each) => ['', `── port ${each.port ?? '-'} ──`, ...explanationLines(each, paint)])
  return [verdictLine(whole, paint), ...sections]
}

function verdictLine({ verdict, sentence }: Explanation, paint: Terminal['paint']): string {
  return paint(verdict === 'well' ? 'green' : verdict === 'broken' ? 'red' : 'yellow', printable(sentence))
}

/** The verdict, the way as a drawing, each station, and what to do. */
function explanationLines(explanation: Explanation, paint: Terminal['paint']): readonly string[] {
  const { findings, steps } = explanation
  return [
    verdictLine(explanation, paint),
    '',
    ...drawing(explanation, paint),
    '',
    ...steps.map(
      ({ id, state, observed }) =>
        `  ${paint(COLOURS[state], MARKS[state].padEnd(3))} ${id.padEnd(12)} ${printable(observed)}`,
    ),
    ...findings.flatMap(({ id, severity, observed, expected, mend }) => [
      '',
      `${paint(severity === 'broken' ? 'red' : 'yellow', id)}: ${printable(observed)}`,
      `  expected: ${expected}`,
      `  mend: ${printable(mend)}`,
    ]),
  ]
}

/**
 *     guest ── bridge ── namespace ── proxy ── agent ── API ── records
 *      ok        ok          X          ?       ok      ok       ok
 *                            └ dnsmasq-dead
 */
function drawing({ hops, steps, findings }: Explanation, paint: Terminal['paint']): readonly string[] {
  const joint = ' ── '
  const states = hops.map((hop) => stateOf(hop, steps))
  const marks = hops.map((hop, i) => {
    const state = states[i] ?? 'unknown'
    const mark = MARKS[state]
    const left = Math.floor((hop.length - mark.length) / 2)
    return `${' '.repeat(left)}${paint(COLOURS[state], mark)}${' '.repeat(hop.length - mark.length - left)}`
  })
  const [first] = findings
  const hop = steps.find(({ id }) => id === first?.step)?.on
  return [
    `  ${hops.join(joint)}`,
    `  ${marks.join(' '.repeat(joint.length))}`.trimEnd(),
    ...(first === undefined || hop === undefined ? [] : [`  ${' '.repeat(middleOf(hops, hop, joint))}└ ${first.id}`]),
  ]
}

function middleOf(hops: readonly Hop[], hop: Hop, joint: string): number {
  const before = hops.slice(0, hops.indexOf(hop))
  return before.reduce((width, each) => width + each.length + joint.length, 0) + Math.floor((hop.length - 1) / 2)
}

function stateOf(hop: Hop, steps: readonly ExplainedStep[]): State {
  const states = steps.filter(({ on }) => on === hop).map(({ state }) => state)
  return WORST.find((state) => states.includes(state)) ?? 'absent'
}

/** Guests and processes of others have their say in it. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '?')
}
