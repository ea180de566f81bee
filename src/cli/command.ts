import type { Options, Values } from '../config/option.ts'
import type { Terminal } from './terminal.ts'

/** One command of `firstboot`. Its file is loaded only when it runs or is asked for help. */
export interface Command<O extends Options = Options> {
  /** What stands behind the command's name: `SERVER [PATH]`. */
  readonly usage: string
  /** How many words may stand behind the options; none when absent. */
  readonly operands?: number
  readonly description: string
  readonly options: O
  readonly examples: readonly (readonly [line: string, meaning: string])[]
  /** @returns the exit code */
  run(given: Given<O>): Promise<number>
}

export interface Given<O extends Options> {
  readonly values: Values<O>
  readonly positionals: readonly string[]
  readonly env: NodeJS.ProcessEnv
  readonly terminal: Terminal
  /** The values as flags, environment and files say now. @throws UsageError when they say nonsense by now */
  reread(): Values<O>
}

/** Keeps the options' types for `run` while the table of commands sees them all alike. */
export function command<O extends Options>(definition: Command<O>): Command {
  return definition as unknown as Command
}
