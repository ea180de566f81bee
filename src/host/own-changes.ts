import type { Command } from './host.ts'

/** What we change ourselves, to be told from what others do. */
export class OwnChanges {
  readonly #going = new Set<readonly string[]>()
  readonly #done = new Set<string>()

  get isGoing(): boolean {
    return this.#going.size > 0
  }

  async during(commands: readonly Command[], act: () => Promise<void>): Promise<void> {
    const names = commands.flatMap(namesOf)
    this.#going.add(names)
    try {
      await act()
    } finally {
      this.#going.delete(names)
      for (const name of names) this.#done.add(name)
    }
  }

  /** Names of namespaces, bridges and tables that are being changed, or have been since the last call. */
  take(): ReadonlySet<string> {
    const all = new Set([...this.#done, ...[...this.#going].flat()])
    this.#done.clear()
    return all
  }
}

function namesOf(command: Command): readonly string[] {
  if ('netns' in command) return [command.netns]
  if ('table' in command) return [command.table]
  if ('bridge' in command) return [command.bridge.name]
  return 'name' in command ? [command.name] : []
}
