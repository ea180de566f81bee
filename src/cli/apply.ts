import { text, truth } from '../config/option.ts'
import { documentOptions } from '../config/options/documents.ts'
import { stateDirectory, stateOptions } from '../config/options/state.ts'
import { UsageError } from '../config/read.ts'
import { hasInventory, openStateDirectory } from '../daemons/state-directory.ts'
import { formatDifferences } from '../inventory/file/plan/differences.ts'
import { openMemoryStore } from '../inventory/memory-store.ts'
import { openSqliteStore } from '../inventory/sql/sqlite.ts'
import type { InventoryStore } from '../inventory/store.ts'
import { applyFile, FileRefused } from './apply-file.ts'
import { command } from './command.ts'
import { examinePlanned } from './lint/examine-servers.ts'
import { loadRules } from './lint/load-rules.ts'
import { findingLines, findingsJson } from './lint/report.ts'

/** Findings are about what a service would tell that is started without options. */
const DOMAIN = documentOptions.dhcp_domain.default

export const apply = command({
  usage: '[-f] FILE',
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
    const file = fileNamed(values.file, positionals)
    const place = stateDirectory(values, env)
    const store = await openStore(place, values.dry_run)
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
        if (plan.changes.length === 0) terminal.print(`Nothing to change in ${place}.`)
        else if (values.dry_run) terminal.print(`Nothing was changed in ${place} (--dry-run).`)
        else terminal.print(`Applied to ${place}.`)
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

/** @throws UsageError when there is none, or two */
function fileNamed(flagged: string, [word]: readonly string[]): string {
  if (flagged !== '' && word !== undefined)
    throw new UsageError(`one file at a time: ${JSON.stringify(flagged)} or ${JSON.stringify(word)}`)
  const file = word ?? flagged
  if (file === '') throw new UsageError('name the inventory file: firstboot apply -f FILE')
  return file
}

/** A dry run leaves nothing behind, not even an empty inventory. */
async function openStore(place: string, isDry: boolean): Promise<InventoryStore> {
  if (isDry && !hasInventory(place)) return openMemoryStore()
  return openSqliteStore((await openStateDirectory(place)).database)
}
