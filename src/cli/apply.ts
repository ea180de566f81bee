import { text, truth } from '../config/option.ts'
import { documentOptions } from '../config/options/documents.ts'
import { stateDirectory, stateOptions } from '../config/options/state.ts'
import { UsageError } from '../config/read.ts'
import { openStateDirectory } from '../daemons/state-directory.ts'
import { formatDifferences } from '../inventory/file/plan/differences.ts'
import { openSqliteStore } from '../inventory/sql/sqlite.ts'
import { applyFile, FileRefused } from './apply-file.ts'
import { command } from './command.ts'
import { examinePlanned } from './lint/examine-servers.ts'
import { loadRules } from './lint/load-rules.ts'
import { findingLines, findingsJson } from './lint/report.ts'

/** Findings are about what a service would tell that is started without options. */
const DOMAIN = documentOptions.dhcp_domain.default

export const apply = command({
  usage: '-f FILE',
  operands: 1,
  description:
    'Makes the inventory what a YAML or JSON file says, in one step, and prints what it changed. What the file leaves open (ids, MAC addresses, addresses, DHCP ports) is assigned once and kept: the same file again changes nothing. A file with anything wrong in it is refused as a whole, with every mistake named by line and field. The servers it adds or changes are then examined, as `firstboot lint` does; what is found is shown and stops nothing. A running firstboot follows at once.',
  options: {
    file: text('FILE', '', 'The inventory file.', { short: 'f' }),
    dry_run: truth(false, 'Show what would change, and change nothing.'),
    prune: truth(false, 'Remove what the file no longer names.'),
    json: truth(false, 'Print the changes, or the mistakes, as JSON.'),
    ...stateOptions,
  },
  examples: [
    ['firstboot apply -f examples/lab.yaml', 'two networks, four servers'],
    ['firstboot apply -f my.yaml --dry-run', 'what would change'],
    ['firstboot apply -f my.yaml --prune', 'the file is all there is'],
  ],
  run: async ({ values, positionals, env, terminal }) => {
    const file = values.file || positionals[0]
    if (file === undefined) throw new UsageError('name the inventory file: firstboot apply -f FILE')
    const state = await openStateDirectory(stateDirectory(values, env))
    const store = await openSqliteStore(state.database)
    try {
      const plan = await applyFile(store, file, { prune: values.prune, dryRun: values.dry_run })
      const examined = await examinePlanned(plan, (await store.load()).records, loadRules('').rules, DOMAIN)
      if (values.json) {
        const { differences: changes, notes } = plan
        terminal.print(
          JSON.stringify({ applied: !values.dry_run, changes, notes, findings: findingsJson(examined) }, null, 2),
        )
      } else {
        formatDifferences(plan).forEach(terminal.print)
        plan.notes.forEach(terminal.say)
        findingLines(examined, terminal.paint).forEach(terminal.say)
        if (plan.changes.length === 0) terminal.print(`Nothing to change in ${state.path}.`)
        else if (values.dry_run) terminal.print('Nothing was changed (--dry-run).')
      }
      return 0
    } catch (error) {
      if (!(error instanceof FileRefused)) throw error
      if (values.json) terminal.print(JSON.stringify({ applied: false, problems: error.problems }, null, 2))
      else error.message.split('\n').forEach(terminal.say)
      return 1
    } finally {
      await store.close()
    }
  },
})
