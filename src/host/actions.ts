import { describeCommand } from './describe.ts'
import { type Command, CommandFailed } from './host.ts'

/** A part of a command. */
export type Action = () => void | Promise<void>

/** Carries out commands in order. @throws CommandFailed at the first that fails */
export async function runActions(
  commands: readonly Command[],
  actionsOf: (command: Command) => readonly Action[],
): Promise<void> {
  for (const command of commands) {
    try {
      for (const act of actionsOf(command)) await act()
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause)
      throw new CommandFailed(command, `${describeCommand(command)}: ${message}`, { cause })
    }
  }
}
