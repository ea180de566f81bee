import type { Journey } from '../../observe/flight/journey.ts'
import type { Colour, Terminal } from '../terminal.ts'

/** One request on one line: when, who, how it ended, how long, what, and where the time went. */
export function journeyLine(journey: Journey, width: number, paint: Terminal['paint']): string {
  const { time, method, path, status, bytes, milliseconds, problem } = journey
  return [
    paint('dim', time.slice(11, 23)),
    paint('cyan', whose(journey).padEnd(width)),
    paint(colourOf(status), String(status)),
    `${milliseconds.toFixed(1)} ms`.padStart(10),
    `${bytes} bytes`.padStart(11),
    `${method} ${printable(path)}`,
    ...(problem === undefined ? [] : [paint('yellow', problem)]),
    paint('dim', whereTimeWent(journey)),
  ]
    .join('  ')
    .trimEnd()
}

/** The server's name, its id, or at least the address that asked. */
export function whose({ server, instance, from }: Pick<Journey, 'server' | 'instance' | 'from'>): string {
  return server ?? instance ?? `(${from})`
}

/** `resolve 0.1, render 0.4` of the one daemon; `metadata-proxy 5.0 > metadata-agent 4.2 (resolve 0.1)` of several. */
function whereTimeWent({ hops }: Journey): string {
  const [only, ...others] = hops
  if (only !== undefined && others.length === 0) return stageList(only.stages)
  return hops
    .map(({ daemon, milliseconds, stages }) => {
      const detail = stageList(stages)
      return `${daemon} ${milliseconds.toFixed(1)}${detail === '' ? '' : ` (${detail})`}`
    })
    .join(' > ')
}

function stageList(stages: Journey['hops'][number]['stages']): string {
  return Object.entries(stages)
    .map(([stage, milliseconds]) => `${stage} ${milliseconds.toFixed(1)}`)
    .join(', ')
}

function colourOf(status: number): Colour {
  if (status >= 500) return 'red'
  return status < 400 ? 'green' : 'yellow'
}

/** What a guest sent must not move the cursor of whoever reads it. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '?')
}
