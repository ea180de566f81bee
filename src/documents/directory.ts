import type { Json } from './json.ts'

/** One value of a tree, still typed: HTTP prints it as text, the config drive writes it as JSON. */
export type Leaf = string | number | null | Uint8Array | readonly string[]
export type Entry = Leaf | Directory

/** Gives one entry of a directory; undefined when there is none of that name. */
export type Draw = (name: string) => Entry | undefined

/** Entries in the order the config drive writes them; a listing sorts them. Each is drawn only when it is asked for: most
 *  requests are for one leaf. */
export class Directory {
  /** What the parent's listing shows instead of name and slash; only the slots of `public-keys` have one. */
  readonly displayName: string | null
  readonly get: Draw
  readonly #names: () => readonly string[]

  /** @param names  those that may be there: `draw` has the last word */
  constructor(names: () => readonly string[], draw: Draw, displayName: string | null = null) {
    this.get = draw
    this.displayName = displayName
    this.#names = names
  }

  /** Of entries that cost nothing to draw. */
  static of(entries: ReadonlyMap<string, Entry>, displayName: string | null = null): Directory {
    return new Directory(
      () => [...entries.keys()],
      (name) => entries.get(name),
      displayName,
    )
  }

  /** All that are there. */
  get entries(): ReadonlyMap<string, Entry> {
    const present = new Map<string, Entry>()
    for (const name of this.#names()) {
      const entry = this.get(name)
      if (entry !== undefined) present.set(name, entry)
    }
    return present
  }
}

/** Where Nova keeps a display name: an entry that no listing shows, but that answers, and that a config drive carries. */
const DISPLAY_NAME = '_name'

/** The entry below `entry`, or undefined. Nothing lies below a leaf, not even the members of a list. */
export function find(entry: Entry, names: readonly string[]): Entry | undefined {
  let found: Entry | undefined = entry
  for (const name of names) {
    if (!(found instanceof Directory)) return undefined
    found = name === DISPLAY_NAME && found.displayName !== null ? found.displayName : found.get(name)
  }
  return found
}

/** As HTTP shows it: no newline at the end, a missing value as the word Python prints. */
export function printEntry(entry: Entry): Uint8Array {
  return entry instanceof Uint8Array ? entry : Buffer.from(entryText(entry))
}

function entryText(entry: Exclude<Entry, Uint8Array>): string {
  if (entry === null) return 'None'
  if (entry instanceof Directory) return listing(entry)
  return typeof entry === 'object' ? entry.join('\n') : String(entry)
}

function listing(directory: Directory): string {
  return [...directory.entries]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, entry]) => (entry instanceof Directory ? (entry.displayName ?? `${name}/`) : name))
    .join('\n')
}

/** As the config drive writes it. Bytes (user data) have no place in a JSON document and are left to their own file. */
export function entryJson(entry: Exclude<Entry, Uint8Array>): Json {
  if (!(entry instanceof Directory)) return entry
  const members = new Map<string, Json>()
  if (entry.displayName !== null) members.set(DISPLAY_NAME, entry.displayName)
  for (const [name, below] of entry.entries) if (!(below instanceof Uint8Array)) members.set(name, entryJson(below))
  return members
}
