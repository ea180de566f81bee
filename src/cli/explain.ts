import { truth } from '../config/option.ts'
import { datapathOptions } from '../config/options/datapath.ts'
import { documentOptions } from '../config/options/documents.ts'
import { configDriveOptions } from '../config/options/machines.ts'
import { stateDirectory, stateOptions } from '../config/options/state.ts'
import { existingStateDirectory } from '../daemons/state-directory.ts'
import { explain as explained, type Verdict } from '../explain/explain.ts'
import { openInventory } from '../inventory/catalog.ts'
import { openSqliteStore } from '../inventory/sql/sqlite.ts'
import { command } from './command.ts'
import { findPort } from './explain/find-port.ts'
import { gatherFacts } from './explain/gather.ts'
import { explanationLines } from './explain/report.ts'

/** What a lock may hold us up. */
const OPEN_MILLISECONDS = 1_000
const EXIT_CODES: Readonly<Record<Verdict, number>> = { well: 0, broken: 1, unknown: 3 }

export const explain = command({
  usage: 'SERVER|PORT|ADDRESS',
  operands: 1,
  description:
    'Says why a guest gets its metadata, or does not: walks its way from records to documents, asks DHCP, agent and metadata API in its name, sends a request over its bridge, and finds out by which route the guest would ask. First a sentence, then the way with the broken place marked, then what was expected, what was found and what to do; faults have names (docs/faults/). Changes nothing that stays, and disturbs no guest. Needs root to see all; says what it could not see. Options are those of the running daemons; flags count where none runs. Exit code 0: well, 1: broken, 3: nothing wrong is found and not enough could be looked at.',
  options: {
    json: truth(false, 'Print it as JSON.'),
    ...stateOptions,
    ...documentOptions,
    ...datapathOptions,
    ...configDriveOptions,
  },
  examples: [
    ['sudo firstboot explain web-1', 'why does web-1 get no metadata?'],
    ['sudo firstboot explain 10.0.0.11', 'by address; of several networks it asks which'],
    ['sudo firstboot explain web-1 --json', 'for programs'],
  ],
  run: async ({ values, positionals, env, terminal }) => {
    const state = await existingStateDirectory(stateDirectory(values, env))
    const store = await openSqliteStore(state.database, OPEN_MILLISECONDS)
    const inventory = openInventory(store, undefined, { flatInjected: values.flat_injected })
    try {
      await inventory.ready
      const wanted = findPort(inventory.records, positionals[0])
      const explanation = explained(await gatherFacts({ state, inventory, store, wanted, values }), wanted.name)
      if (values.json) terminal.print(JSON.stringify(explanation, null, 2))
      else explanationLines(explanation, terminal.paint).forEach(terminal.print)
      return EXIT_CODES[explanation.verdict]
    } finally {
      inventory.close()
      await store.close()
    }
  },
})
