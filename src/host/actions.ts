import { describeCommand } from './describe.ts'
import { type Command, CommandFailed } from './host.ts'
import { IpBatchFailed, type IpCommand, ipBatch } from './iproute.ts'

/** A part of a command: a line for `ip` in a namespace (undefined: the host's), or something else. */
export type Action = { readonly ip: IpCommand; readonly netns?: string } | { readonly act: () => void | Promise<void> }

export function ip(lines: readonly IpCommand[], netns?: string): readonly Action[] {
  return lines.map((line) => (netns === undefined ? { ip: line } : { ip: line, netns }))
}

/**
 * Carries out commands in order. Lines for `ip` that stand side by side and concern the same namespace share a process:
 * starting one costs more than what it does.
 * @throws CommandFailed
 */
export async function runActions(
  commands: readonly Command[],
  actionsOf: (command: Command) => readonly Action[],
): Promise<void> {
  const actions = commands.flatMap((command) => actionsOf(command).map((action) => ({ command, action })))
  for (let at = 0; at < actions.length; ) {
    const first = actions[at]
    if (first === undefined) return
    if ('act' in first.action) {
      await perform(first.command, first.action.act)
      at += 1
      continue
    }
    const { netns } = first.action
    const lines: { command: Command; line: IpCommand }[] = []
    for (const { command, action } of actions.slice(at)) {
      if (!('ip' in action) || action.netns !== netns) break
      lines.push({ command, line: action.ip })
    }
    await performBatch(lines, netns)
    at += lines.length
  }
}

async function perform(command: Command, act: () => void | Promise<void>): Promise<void> {
  try {
    await act()
  } catch (cause) {
    throw failed(command, cause)
  }
}

async function performBatch(
  lines: readonly { readonly command: Command; readonly line: IpCommand }[],
  netns: string | undefined,
): Promise<void> {
  try {
    await ipBatch(
      lines.map(({ line }) => line),
      netns,
    )
  } catch (cause) {
    const command = lines[cause instanceof IpBatchFailed ? cause.index : 0]?.command
    throw command === undefined ? cause : failed(command, cause)
  }
}

function failed(command: Command, cause: unknown): CommandFailed {
  const message = cause instanceof Error ? cause.message : String(cause)
  return new CommandFailed(command, `${describeCommand(command)}: ${message}`, { cause })
}
