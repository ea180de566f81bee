import { text, truth } from '../config/option.ts'
import { stateDirectory, stateOptions } from '../config/options/state.ts'
import { UsageError } from '../config/read.ts'
import { askManagement } from '../daemons/management.ts'
import { existingStateDirectory, type StateDirectory, servedStateDirectory } from '../daemons/state-directory.ts'
import type { DatapathStatus, NamespaceStatus, PlaceStatus, PlannedStep } from '../datapath/status.ts'
import type { Noun } from '../inventory/records/records.ts'
import { openSqliteStore } from '../inventory/sql/sqlite.ts'
import { applyFile } from './apply-file.ts'
import { command, type Given } from './command.ts'
import { type Terminal, table } from './terminal.ts'

const options = {
  file: text('FILE', '', 'With plan: as if this inventory file were applied.', { short: 'f' }),
  prune: truth(false, 'With plan -f: and what it does not name removed.'),
  json: truth(false, 'Print it as JSON.'),
  ...stateOptions,
}

export const datapath = command({
  usage: 'status|plan|set [NAME=VALUE ...]',
  operands: 64,
  description:
    'Asks the firstboot that runs on the state directory. `status` shows each namespace: what answers there, where guests are sent and why, what was done there last, what fails. `plan` shows what would be done now, or with -f after an inventory file, and does nothing. `set` changes options of the datapath at once, until the end or a SIGHUP; without any it shows them. Exit code 1 when something fails there.',
  options,
  examples: [
    ['firstboot datapath status', 'what is served where, and why'],
    ['firstboot datapath plan -f my.yaml', 'what applying the file would do to this machine'],
    ['firstboot datapath set force_metadata=true', 'without a restart'],
  ],
  run: async (given) => {
    const [verb, ...words] = given.positionals
    const ask = VERBS[verb ?? '']
    if (ask === undefined) throw new UsageError(`say what: ${Object.keys(VERBS).join(', ')}`)
    if (verb !== 'set' && words.length > 0) throw new UsageError(`nothing is done with ${words.join(' ')}`)
    const path = stateDirectory(given.values, given.env)
    // Changes are worked out against the inventory.
    const state = given.values.file === '' ? await servedStateDirectory(path) : await existingStateDirectory(path)
    return ask(state, given, words)
  },
})

type Ask = (state: StateDirectory, given: Given<typeof options>, words: readonly string[]) => Promise<number>

const VERBS: Readonly<Record<string, Ask>> = {
  status: async (state, { values, terminal }) => {
    const status = (await askManagement(state, 'GET /datapath/status')) as DatapathStatus
    if (values.json) terminal.print(JSON.stringify(status, null, 2))
    else statusLines(status, terminal).forEach(terminal.print)
    return [...status.namespaces, ...status.others].some(({ trouble }) => trouble !== null) ? 1 : 0
  },

  plan: async (state, { values, terminal }) => {
    const steps = (await (values.file === ''
      ? askManagement(state, 'GET /datapath/plan')
      : askManagement(state, 'POST /datapath/plan', await changesOf(state, values)))) as readonly PlannedStep[]
    if (values.json) terminal.print(JSON.stringify(steps, null, 2))
    else if (steps.length === 0) terminal.print('Nothing to do: all is as it should be.')
    else steps.map(({ what, why }) => `${what}: ${why}`).forEach(terminal.print)
    return 0
  },

  set: async (state, { values, terminal }, words) => {
    const wanted = Object.fromEntries(words.map(assignment))
    if (words.length === 0) {
      const now = (await askManagement(state, 'GET /config')) as Readonly<Record<string, unknown>>
      const lines = Object.entries(now).map(([name, value]) => `${name}=${value}`)
      if (values.json) terminal.print(JSON.stringify(now, null, 2))
      else lines.forEach(terminal.print)
      return 0
    }
    const { changed } = (await askManagement(state, 'PUT /config', wanted)) as { readonly changed: readonly string[] }
    if (values.json) terminal.print(JSON.stringify({ changed }, null, 2))
    else (changed.length === 0 ? ['Every option is as before.'] : changed).forEach(terminal.print)
    return 0
  },
}

function assignment(word: string): readonly [string, string] {
  const at = word.indexOf('=')
  if (at < 1) throw new UsageError(`${JSON.stringify(word)} is no NAME=VALUE`)
  return [word.slice(0, at).replaceAll('-', '_'), word.slice(at + 1)]
}

/** The rest is nothing to the datapath, and may be secret. */
const NOUNS: ReadonlySet<Noun> = new Set(['network', 'subnet', 'router', 'port', 'floating_ip'] as const)

async function changesOf(state: StateDirectory, { file, prune }: { readonly file: string; readonly prune: boolean }) {
  const store = await openSqliteStore(state.database)
  try {
    const { changes } = await applyFile(store, file, { prune, dryRun: true })
    return { changes: changes.filter(({ noun }) => NOUNS.has(noun)) }
  } finally {
    await store.close()
  }
}

function statusLines({ namespaces, others, at }: DatapathStatus, terminal: Terminal): readonly string[] {
  const rows = namespaces.map((each) => [
    each.where,
    each.name,
    each.exists ? (each.listening.length > 0 ? each.listening.join(' ') : programsThatAnswer(each)) : '-',
    each.sends_guests ? 'yes' : 'no',
    each.programs.map(({ kind, pid }) => `${kind} ${pid}`).join(', '),
    each.because,
  ])
  const troubled = [...namespaces, ...others].filter(({ trouble }) => trouble !== null)
  return [
    ...table([['namespace', 'of', 'answers on', 'sends guests', 'programs', 'because'], ...rows]),
    '',
    ...troubled.flatMap((place) => troubleLines(place, terminal)),
    ...lastActions([...namespaces, ...others]),
    `Looked at ${at}: ${troubled.length === 0 ? 'nothing is in trouble.' : `${troubled.length} in trouble.`}`,
  ]
}

function programsThatAnswer({ programs }: NamespaceStatus): string {
  return programs.some(({ kind }) => kind === 'haproxy') ? 'haproxy' : 'nothing'
}

function troubleLines({ where, trouble }: PlaceStatus, { paint }: Terminal): readonly string[] {
  if (trouble === null) return []
  const { what, message, since, times } = trouble
  return [paint('red', `${where}: ${what} fails since ${since} (${times} times): ${message}`)]
}

/** Of the last actions, what a screen holds. */
const SHOWN = 12

function lastActions(places: readonly PlaceStatus[]): readonly string[] {
  const actions = places.flatMap(({ actions: own }) => own).toSorted((a, b) => (a.at < b.at ? -1 : 1))
  if (actions.length === 0) return []
  return ['Done last:', ...actions.slice(-SHOWN).map(({ at, what, why }) => `  ${at}  ${what}: ${why}`), '']
}
