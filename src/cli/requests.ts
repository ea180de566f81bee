import { integer, truth } from '../config/option.ts'
import { stateDirectory, stateOptions } from '../config/options/state.ts'
import { recordedStateDirectory } from '../daemons/state-directory.ts'
import { journeys } from '../observe/flight/journey.ts'
import { readRecords as readFlight } from '../observe/flight/read.ts'
import { command } from './command.ts'
import { findGuest } from './flight/guest.ts'
import { journeyLine } from './flight/line.ts'

export const requests = command({
  usage: '[SERVER]',
  operands: 1,
  description:
    'Prints the last requests of a server, or of all: when, what it asked, what it got, and where the time went, as the daemons of this host recorded them. They are kept over restarts. Exit code 1 when there is none.',
  options: {
    last: integer('COUNT', 64, 'How many to print, the newest last.', { min: 1, max: 100_000 }),
    json: truth(false, 'Print a JSON object for each.'),
    ...stateOptions,
  },
  examples: [
    ['firstboot requests web-1', 'what web-1 has asked'],
    ['firstboot requests --last 20 --json', 'the last requests of all guests, for programs'],
  ],
  run: async ({ values, positionals, env, terminal }) => {
    const state = await recordedStateDirectory(stateDirectory(values, env))
    const [wanted] = positionals
    const id = wanted === undefined ? undefined : (await findGuest(state, wanted, values, env)).id
    const found = journeys(readFlight(state.flight, () => true))
      .filter(({ instance }) => id === undefined || instance === id)
      .slice(-values.last)
    const width = Math.max(0, ...found.map(({ server }) => server?.length ?? 0))
    for (const journey of found)
      terminal.print(values.json ? JSON.stringify(journey) : journeyLine(journey, width, terminal.paint))
    if (found.length === 0) terminal.say(`Nothing is recorded of ${wanted ?? 'any guest'} in ${state.flight}.`)
    return found.length === 0 ? 1 : 0
  },
})
