import { readdirSync, statSync } from 'node:fs'

/** Two changes closer together than the kernel's clock ticks leave a directory with the same time. */
const TICK_MILLISECONDS = 50
const NONE: ReadonlySet<string> = new Set()

/** Names of the directories in a directory, which need not be there. Read again only when that has changed. */
export function subdirectoriesReader(path: string): () => ReadonlySet<string> {
  let [asOf, names] = [0n, NONE]
  return () => {
    const stat = statSync(path, { bigint: true, throwIfNoEntry: false })
    if (stat === undefined) return NONE
    if (stat.mtimeNs === asOf) return names
    const entries = readdirSync(path, { withFileTypes: true })
    names = new Set(entries.filter((entry) => entry.isDirectory()).map(({ name }) => name))
    asOf = Date.now() - Number(stat.mtimeMs) > TICK_MILLISECONDS ? stat.mtimeNs : 0n
    return names
  }
}
