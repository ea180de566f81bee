import { truth } from '../config/option.ts'
import { stateOptions } from '../config/options/state.ts'
import { listTable } from '../inventory/file/listing.ts'
import { toWire } from '../inventory/file/wire.ts'
import type { Noun, RecordSet } from '../inventory/records/records.ts'
import { command } from './command.ts'
import { NOUN_WORDS, nounOf, readRecords } from './read-records.ts'
import { table } from './terminal.ts'

export const list = command({
  usage: 'NOUN',
  operands: 1,
  description: `Lists what the inventory holds. NOUN is one of ${NOUN_WORDS.join(', ')}.`,
  options: { json: truth(false, 'Print everything about each as JSON.'), ...stateOptions },
  examples: [
    ['firstboot list servers', 'names and addresses'],
    ['firstboot list ports --json', 'for programs'],
  ],
  run: async ({ values, positionals, env, terminal }) => {
    const noun = nounOf(positionals[0])
    const records = await readRecords(values, env)
    if (values.json) terminal.print(JSON.stringify(wires(noun, records), null, 2))
    else {
      const [heading = '', ...lines] = table(listTable(noun, records))
      terminal.print(terminal.paint('bold', heading))
      lines.forEach(terminal.print)
    }
    return 0
  },
})

function wires<N extends Noun>(noun: N, records: RecordSet) {
  return Array.from(records[noun].values(), (record) => toWire(noun, record))
}
