/** The names that the two trees of an image can hold. Rock Ridge carries the true ones beside those of the primary tree. */

/** What is allowed, and what becomes of the rest. */
export interface NameRules {
  /** In characters, a version not counted. */
  readonly room: number
  /** Becomes an underscore. */
  readonly forbidden: RegExp
  /** What is behind the last dot stays whole up to so many characters, when the name must be cut. */
  readonly extensionRoom: number
  /** Between what is left of the name and the number that makes it unique. */
  readonly beforeNumber: string
}

/** As genisoimage's -l -allow-lowercase -allow-multidot -ldots: `2012-08-10` becomes `2012_08_10`. 31 characters with the
 *  dot that every file has. */
export const PRIMARY_NAMES: NameRules = {
  room: 30,
  forbidden: /[^A-Za-z0-9_.]/gu,
  extensionRoom: 10,
  beforeNumber: '_',
}

/** 64 units of UTF-16. Joliet forbids control characters and six more; genisoimage refuses names that are the same in so
 *  many characters, we number them. */
export const JOLIET_NAMES: NameRules = {
  room: 64,
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is forbidden
  forbidden: /[\x00-\x1f*/:;?\\]/g,
  extensionRoom: 16,
  beforeNumber: '~',
}

/**
 * One name for each, no two the same: the name itself where it is allowed, else what is left of it, with a number when
 * that is taken. Pure: it depends on the names and their order alone.
 * @param names  of one folder, no two the same
 */
export function allowedNames(names: readonly string[], rules: NameRules): readonly string[] {
  const cut = names.map((name) => fit(name.replace(rules.forbidden, '_'), '', rules))
  const taken = new Set(names.filter((name, index) => cut[index] === name))
  const numbers = new Map<string, number>()
  return names.map((name, index) => {
    const wanted = cut[index] ?? ''
    if (wanted === name) return name
    let free = wanted
    let number = numbers.get(wanted) ?? 0
    for (; taken.has(free); number += 1) free = fit(wanted, `${rules.beforeNumber}${number}`, rules)
    numbers.set(wanted, number)
    taken.add(free)
    return free
  })
}

/** The name with something added to its stem, cut to the room there is. */
function fit(name: string, added: string, { room, extensionRoom }: NameRules): string {
  if (added === '' && name.length <= room) return name
  const dot = name.lastIndexOf('.')
  const hasExtension = dot > 0 && name.length - dot <= extensionRoom
  const [stem, extension] = hasExtension ? [name.slice(0, dot), name.slice(dot)] : [name, '']
  return `${cutAt(stem, room - added.length - extension.length)}${added}${extension}`
}

/** Leaves no half of a surrogate pair. */
function cutAt(text: string, length: number): string {
  const cut = text.slice(0, length)
  return cut.isWellFormed() ? cut : cut.slice(0, -1)
}
