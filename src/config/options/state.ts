import { lstatSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { text, truth } from '../option.ts'
import { UsageError } from '../usage-error.ts'

/** Where the inventory is kept. Every command that reads or writes it takes these. */
export const stateOptions = {
  state_dir: text(
    'DIR',
    '',
    'Where records, leases, sockets and the shared secret are kept. Default: /var/lib/firstboot for root, ~/.local/state/firstboot for others.',
    { short: 's' },
  ),
  lab: truth(false, 'Use the state of the running `npm start` (or `firstboot lab`) instead.'),
}

/** The state directory these values name. */
export function stateDirectory(
  values: { readonly state_dir: string; readonly lab: boolean },
  env: NodeJS.ProcessEnv,
): string {
  if (values.lab && values.state_dir !== '') throw new UsageError('either --lab or --state-dir')
  if (values.lab) return trustedLabDirectory()
  if (values.state_dir !== '') return values.state_dir
  if (process.getuid?.() === 0) return '/var/lib/firstboot'
  return join(env['XDG_STATE_HOME'] || join(homedir(), '.local', 'state'), 'firstboot')
}

/** One lab a user: its state lives no longer than the lab. */
export function labDirectory(): string {
  return join(tmpdir(), `firstboot-lab-${process.getuid?.() ?? 0}`)
}

/**
 * The running lab's directory, when nobody else can have put anything there: it lies where every user may make one.
 * @throws UsageError when there is none; Error when it is not ours alone
 */
export function trustedLabDirectory(): string {
  const path = labDirectory()
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found === undefined) throw new UsageError('no lab is running: npm start (or firstboot lab) begins one')
  if (!found.isDirectory() || found.uid !== process.getuid?.() || (found.mode & 0o022) !== 0)
    throw new Error(`${path} is not a directory of yours alone, so nothing in it can be trusted; remove it`)
  return path
}
