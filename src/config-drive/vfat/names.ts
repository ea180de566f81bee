import { quote } from '../files.ts'
import { DriveProblem } from '../image.ts'

/** Names of a folder, as FAT keeps them: eleven characters in upper case, and where that is not the name, the name. */
export interface FatName {
  /** Eight characters and three, without the dot, padded with spaces. */
  readonly alias: string
  /** Which parts of the alias are meant in lower case: as Windows NT and Linux have it. */
  readonly lowerCase: number
  /** Undefined when the alias, with its case, says it all. */
  readonly long: string | undefined
}

/** Flags of an entry's case byte. */
export const LOWER_CASE = { stem: 0x08, extension: 0x10 } as const

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is forbidden
const FORBIDDEN = /["*/:<>?\\|\x00-\x1f]/

const SHORT_NAME = /^([A-Z0-9!#$%&'()@^_`{}~-]{1,8})(?:\.([A-Z0-9!#$%&'()@^_`{}~-]{1,3}))?$/i
const NOT_IN_SHORT_NAME = /[^A-Z0-9!#$%&'()@^_`{}~-]/gu

/**
 * Aliases for all names of a folder, no two the same, in the order of the names. Pure: they depend on the names and
 * their order alone.
 * @throws DriveProblem when a name cannot be on FAT, or two differ in case only
 */
export function fatNames(names: readonly string[], folder: string): readonly FatName[] {
  const folded = new Map<string, string>()
  for (const name of names) {
    const wrong = wrongOnFat(name)
    if (wrong !== undefined) throw new DriveProblem(`${quote(`${folder}${name}`)} cannot be on a VFAT drive: ${wrong}`)
    const other = folded.get(foldCase(name))
    if (other !== undefined) {
      const both = `${quote(`${folder}${other}`)} and ${quote(`${folder}${name}`)}`
      throw new DriveProblem(`${both} cannot both be on a VFAT drive: it has one name for them, whatever the case`)
    }
    folded.set(foldCase(name), name)
  }
  const short = names.map(shortName)
  const taken = new Set<string>()
  for (const own of short) if (own) taken.add(own.alias)
  const numbers = new Map<string, number>()
  return names.map((name, index) => short[index] ?? numbered(name, taken, numbers))
}

function wrongOnFat(name: string): string | undefined {
  const forbidden = FORBIDDEN.exec(name)?.[0]
  if (forbidden !== undefined) return `FAT has no ${quote(forbidden)} in names`
  return /[. ]$/.test(name) ? 'FAT drops dots and spaces at the end of a name' : undefined
}

/** Unit by unit, as file systems do: `ß` stays what it is. */
function foldCase(name: string): string {
  return Array.from(name, (character) => {
    const upper = character.toUpperCase()
    return upper.length === character.length ? upper : character
  }).join('')
}

/** @returns undefined when the name has no alias of its own */
function shortName(name: string): FatName | undefined {
  const match = SHORT_NAME.exec(name)
  if (!match) return undefined
  const [, stem = '', extension = ''] = match
  const alias = (stem.padEnd(8) + extension.padEnd(3)).toUpperCase()
  if (isMixed(stem) || isMixed(extension)) return { alias, lowerCase: 0, long: name }
  const lowerCase = (hasLower(stem) ? LOWER_CASE.stem : 0) | (hasLower(extension) ? LOWER_CASE.extension : 0)
  return { alias, lowerCase, long: undefined }
}

function isMixed(text: string): boolean {
  return hasLower(text) && text !== text.toLowerCase()
}

function hasLower(text: string): boolean {
  return text !== text.toUpperCase()
}

/** `network_data.json` becomes `NETWOR~1.JSO`. */
function numbered(name: string, taken: Set<string>, numbers: Map<string, number>): FatName {
  const plain = name.toUpperCase().replace(/^[. ]+| /g, '')
  const dot = plain.lastIndexOf('.')
  const part = (text: string, length: number) =>
    text.replaceAll('.', '').replace(NOT_IN_SHORT_NAME, '_').slice(0, length)
  const stem = part(dot < 0 ? plain : plain.slice(0, dot), 6) || '_'
  const extension = part(dot < 0 ? '' : plain.slice(dot + 1), 3)
  const key = `${stem}.${extension}`
  for (let number = numbers.get(key) ?? 1; ; number += 1) {
    const tail = `~${number}`
    const alias = (stem.slice(0, 8 - tail.length) + tail).padEnd(8) + extension.padEnd(3)
    if (taken.has(alias)) continue
    taken.add(alias)
    numbers.set(key, number + 1)
    return { alias, lowerCase: 0, long: name }
  }
}
