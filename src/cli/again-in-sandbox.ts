import { argumentsFor } from '../config/arguments.ts'
import type { Options } from '../config/option.ts'
import { flag } from '../config/read.ts'
import { ownCommand } from '../daemons/own-command.ts'
import { runningSandbox } from '../daemons/running-sandbox.ts'
import { runInteractive } from '../host/interactive.ts'
import { sandboxEntry } from '../host/sandbox.ts'
import type { Given } from './command.ts'

/** What was asked for, as it was read. */
export interface Asked extends Pick<Given<Options>, 'origins' | 'env'> {
  readonly name: string
  readonly options: Options
  readonly values: Readonly<Record<string, unknown>>
  readonly words: readonly string[]
}

/**
 * Runs a command once more, in the sandbox in which the daemon of the state directory runs: only there are its namespaces,
 * its processes and its sockets to be seen.
 * @returns the exit code; undefined where the daemon runs in no sandbox, or in this one
 * @throws when the sandbox is somebody else's
 */
export async function againInSandbox(
  directory: string,
  { name, options, values, origins, env, words }: Asked,
): Promise<number | undefined> {
  const sandbox = runningSandbox(directory)
  if (sandbox === undefined) return undefined
  // The environment and the present directory are the same inside, and so is what they say.
  const flagged = Object.entries(values).filter(([option]) => origins[option] === flag(option))
  // Who is root in there may be nobody out here, so that --lab would mean another lab.
  const given = argumentsFor(options, { ...Object.fromEntries(flagged), lab: false, state_dir: directory })
  const again = ownCommand(name, ...given.args, '--', ...words)
  return runInteractive([...sandboxEntry(sandbox), ...again] as [string, ...string[]], { ...env, ...given.env })
}
