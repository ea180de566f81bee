import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { text, truth } from '../config/option.ts'
import { carrierOptions, datapathOptions } from '../config/options/datapath.ts'
import { documentOptions } from '../config/options/documents.ts'
import { configDriveOptions } from '../config/options/machines.ts'
import { northboundOptions, ovnOptions } from '../config/options/ovn.ts'
import { stateDirectory, stateOptions } from '../config/options/state.ts'
import { UsageError } from '../config/read.ts'
import { openStateDirectory, servedStateDirectory } from '../daemons/state-directory.ts'
import { explain as explained, explainServer, type PortOf, type Verdict } from '../explain/explain.ts'
import { OVN } from '../explain/ovn/way.ts'
import { BRIDGES } from '../explain/way.ts'
import { patience, slowdown } from '../host/slowdown.ts'
import { openInventory } from '../inventory/catalog.ts'
import { openSqliteStore } from '../inventory/sql/sqlite.ts'
import { againInSandbox } from './again-in-sandbox.ts'
import { command } from './command.ts'
import { runningDaemons } from './explain/daemons.ts'
import { findPorts } from './explain/find-port.ts'
import { gatherFacts } from './explain/gather.ts'
import { gatherOvnFacts } from './explain/ovn/gather.ts'
import { isOfSouthbound, isOnOvn } from './explain/ovn/is-on-ovn.ts'
import { reportLines } from './explain/report.ts'

/** What a lock may hold us up. */
const OPEN_MILLISECONDS = 1_000
/** Worth a word: waits become longer than one is used to. */
const BUSY = 2
const EXIT_CODES: Readonly<Record<Verdict, number>> = { well: 0, broken: 1, unknown: 3 }

const options = {
  json: truth(false, 'Print it as JSON.'),
  network: text('ID', '', 'The network of an address that several have. Only beside firstboot ovn-metadata-agent.'),
  ...stateOptions,
  ...documentOptions,
  ...datapathOptions,
  ...configDriveOptions,
  ...carrierOptions,
  ...ovnOptions,
  ...northboundOptions,
}

export const explain = command({
  usage: 'SERVER|PORT|ADDRESS',
  operands: 1,
  description:
    'Says why a guest gets its metadata, or does not: walks its way from records to documents, asks DHCP, agent and metadata API in its name, sends a request over its bridge, and finds out by which route the guest would ask. First a sentence, then the way with the broken place marked, then what was expected, what was found and what to do; faults have names (docs/faults/). A server is explained by each of its ports, and one that is well is enough for its guest; else what is said first is of the worst. On a chassis of OVN it reads the databases of Open vSwitch and OVN, and lets ovn-trace follow the request; beside firstboot ovn-metadata-agent a guest is a port or an instance of the Southbound. Changes nothing that stays, and disturbs no guest. Looks into the sandbox of a lab (--lab). Needs root to see all; says what it could not see. Options are those of the running daemons; flags count where none runs. Exit code 0: well, 1: broken, 3: nothing wrong is found and not enough could be looked at.',
  options,
  examples: [
    ['sudo firstboot explain web-1', 'why does web-1 get no metadata?'],
    ['firstboot explain --lab blue-1', 'of the running npm start, in its sandbox'],
    ['sudo firstboot explain 10.0.0.11', 'by address: one port alone; of several networks it asks which'],
    ['sudo firstboot explain 10.0.0.11 --network ID', 'on a chassis of OVN, in a cloud of Neutron'],
    ['sudo firstboot explain web-1 --json', 'for programs'],
  ],
  run: async ({ values, positionals, origins, env, terminal }) => {
    const [wanted] = positionals
    if (wanted === undefined) throw new UsageError('name a server, a port or an address')
    const path = stateDirectory(values, env)
    const code = await againInSandbox(path, { name: 'explain', options, values, origins, env, words: [wanted] })
    if (code !== undefined) return code
    if (slowdown() >= BUSY)
      terminal.say(
        `This machine is busy: it takes ${slowdown().toFixed(1)} times as long as it would alone, and is given that time.`,
      )
    const tell = (name: string, told: readonly PortOf[]) => {
      const all = explainServer(name, told)
      if (all === undefined) throw new UsageError(`nobody is meant by ${wanted}`)
      const ports = told.map(({ explanation }) => explanation)
      if (values.json) terminal.print(JSON.stringify({ ...all, ports }, null, 2))
      else reportLines(all, ports, terminal.paint).forEach(terminal.print)
      return EXIT_CODES[all.verdict]
    }
    // An agent in a cloud of Neutron keeps a state directory and no inventory.
    const kept = existsSync(join(path, 'run')) ? await openStateDirectory(path) : undefined
    const daemons = kept === undefined ? { value: [] } : await runningDaemons(kept)
    if (kept !== undefined && isOfSouthbound(daemons, kept)) {
      const asked = { wanted, network: values.network }
      const facts = await gatherOvnFacts({ state: kept, daemons, inventory: undefined, asked, values })
      return tell(wanted, [{ at: wanted, explanation: explained(OVN, facts, wanted) }])
    }
    const state = await servedStateDirectory(path)
    if (!existsSync(state.database))
      throw new Error(
        `nothing runs on ${path} by which a guest could be explained: start firstboot ovn-metadata-agent again`,
      )
    const store = await openSqliteStore(state.database, patience(OPEN_MILLISECONDS))
    const inventory = openInventory(store, undefined, { flatInjected: values.flat_injected })
    try {
      await inventory.ready
      const subjects = findPorts(inventory.records, wanted)
      const [first] = subjects
      const name = first?.server?.name ?? wanted
      if (first === undefined || !isOnOvn(daemons, first, values.datapath)) {
        const facts = await gatherFacts({ state, inventory, store, wanted: subjects, values })
        return tell(
          name,
          subjects.flatMap((subject, i) => {
            const own = facts[i]
            return own === undefined ? [] : [{ at: subject.at, explanation: explained(BRIDGES, own, subject.name) }]
          }),
        )
      }
      const asked = { wanted, network: '' }
      const told: PortOf[] = []
      // After one another: those who ask for northd's lock at once may take each other for northd.
      for (const subject of subjects) {
        const of = { inventory, store, wanted: subject }
        const facts = await gatherOvnFacts({ state, daemons, inventory: of, asked, values })
        told.push({ at: subject.at, explanation: explained(OVN, facts, subject.name) })
      }
      return tell(name, told)
    } finally {
      inventory.close()
      await store.close()
    }
  },
})
