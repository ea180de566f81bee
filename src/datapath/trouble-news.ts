import type { Trouble } from './history.ts'

/** A line for the log. */
export interface TroubleNews {
  readonly level: 'warn' | 'info'
  readonly where: string
  readonly command?: string
  readonly err?: string
  readonly message: string
}

/** What is new about troubles since the pass before: one has begun, fails otherwise than before, or is over. What goes on
 *  as it was is tried again every two seconds, and would fill a log. Pure. */
export function troubleNews(
  before: ReadonlyMap<string, Trouble>,
  after: ReadonlyMap<string, Trouble>,
): readonly TroubleNews[] {
  const told = [...after].filter(([where, trouble]) => gist(trouble) !== gist(before.get(where)))
  const over = [...before.keys()].filter((where) => !after.has(where))
  return [
    ...told.map(([where, { command, cause }]) => ({
      level: 'warn' as const,
      where,
      ...(command && { command: command.kind }),
      err: cause.message,
      message: command === undefined ? 'netns is unreadable' : 'datapath command failed',
    })),
    ...over.map((where) => ({ level: 'info' as const, where, message: 'datapath trouble is over' })),
  ]
}

/** Numbers apart: seconds that are counted down, and the id of a process that is tried anew, are no news. */
function gist(trouble: Trouble | undefined): string | undefined {
  return trouble && `${trouble.command?.kind} ${trouble.cause.message.replaceAll(/\d+/g, '')}`
}
