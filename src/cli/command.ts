import type { Difference } from '../config/differences.ts'
import type { Options, Values } from '../config/option.ts'
import type { Read } from '../config/read.ts'
import type { Terminal } from './terminal.ts'

/** One command of `firstboot`. Its file is loaded only when it runs or is asked for help. */
export interface Command<O extends Options = Options> {
  /** What stands behind the command's name: `SERVER [PATH]`. */
  readonly usage: string
  /** How many words may stand behind the options; none when absent. */
  readonly operands?: number
  readonly description: string
  readonly options: O
  /** For a command whose options depend on its operands; `options` are then what `--help` shows. */
  readonly optionsFor?: (args: readonly string[]) => Promise<Options>
  /** It runs although some values do not parse, and says itself which. */
  readonly toleratesMistakes?: true
  readonly examples: readonly (readonly [line: string, meaning: string])[]
  /** @returns the exit code */
  run(given: Given<O>): Promise<number>
}

export interface Reread<O extends Options> extends Read<O> {
  /** What is otherwise than the time before. */
  readonly changed: readonly Difference[]
}

export interface Given<O extends Options> {
  readonly values: Values<O>
  readonly positionals: readonly string[]
  readonly env: NodeJS.ProcessEnv
  readonly terminal: Terminal
  /** Where the values come from. */
  readonly origins: Read<O>['origins']
  readonly mistakes: Read<O>['mistakes']
  /** Reads flags, environment and configuration files again, as a daemon does on SIGHUP. @throws UsageError */
  readonly reread: () => Reread<O>
}

/** Keeps the options' types for `run` while the table of commands sees them all alike. */
export function command<O extends Options>(definition: Command<O>): Command {
  return definition as unknown as Command
}
