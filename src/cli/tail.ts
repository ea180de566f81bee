import { truth } from '../config/option.ts'
import { stateDirectory, stateOptions } from '../config/options/state.ts'
import { recordedStateDirectory } from '../daemons/state-directory.ts'
import { untilSignal } from '../daemons/until-signal.ts'
import { journeys } from '../observe/flight/journey.ts'
import { followRecords } from '../observe/flight/read.ts'
import type { FlightRecord } from '../observe/flight/record.ts'
import { command } from './command.ts'
import { findGuest } from './flight/guest.ts'
import { journeyLine, whose } from './flight/line.ts'

/** How long the other daemons on a request's way have to record it too. */
const GATHER_MILLISECONDS = 500

export const tail = command({
  usage: '[SERVER]',
  operands: 1,
  description:
    'Prints each request of a server, or of all, as it is answered, put together from all daemons of this host that it went through. Ends with Ctrl-C.',
  options: { json: truth(false, 'Print a JSON object for each.'), ...stateOptions },
  examples: [
    ['firstboot tail', 'watch all guests'],
    ['firstboot tail web-1 --json', 'one guest, as JSON lines'],
  ],
  run: async ({ values, positionals, env, terminal }) => {
    const state = await recordedStateDirectory(stateDirectory(values, env))
    const [wanted] = positionals
    const id = wanted === undefined ? undefined : (await findGuest(state, wanted, values, env)).id
    let width = 0
    const waiting = new Map<string, FlightRecord[]>()
    const print = (request: string) => {
      const [journey] = journeys(waiting.get(request) ?? [])
      waiting.delete(request)
      if (journey === undefined || (id !== undefined && journey.instance !== id)) return
      width = Math.max(width, whose(journey).length)
      terminal.print(values.json ? JSON.stringify(journey) : journeyLine(journey, width, terminal.paint))
    }
    const end = followRecords(state.flight, (record) => {
      const gathered = waiting.get(record.request)
      if (gathered !== undefined) gathered.push(record)
      else {
        waiting.set(record.request, [record])
        setTimeout(print, GATHER_MILLISECONDS, record.request)
      }
    })
    await untilSignal()
    end()
    for (const request of [...waiting.keys()]) print(request)
    return 0
  },
})
