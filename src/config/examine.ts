import { nearest } from '../text/nearest.ts'
import { whyIgnored } from './ignored.ts'
import { type Entry, groupName } from './ini.ts'
import { isInterpolated } from './interpolate.ts'
import { type Option, type Options, type Place, placesOf } from './option.ts'
import * as everyRow from './options/every.ts'

/**
 * What files say that is not obeyed, or only under protest, one line each: former names, substitutions in secrets, options
 * of other daemons, options of the field that nothing here needs, and names nobody knows. Pure.
 *
 * @param mistaken  options of which it is said already that their value cannot be used
 */
export function fileWarnings(
  options: Options,
  entries: readonly Entry[],
  mistaken: ReadonlySet<string>,
): readonly string[] {
  const known = new Map<string, Known>()
  for (const [name, row] of Object.entries(options)) {
    const [today = { group: '', name }] = placesOf(name, row)
    const isMistaken = mistaken.has(name)
    for (const place of placesOf(name, row)) known.set(keyOf(place), { row, today, isMistaken })
  }
  const strangers = entries.filter((entry) => !known.has(keyOf(entry)))
  const ignored = strangers.filter((entry) => reasonAgainst(entry) !== undefined)
  const protests = entries.flatMap((entry) => {
    const found = known.get(keyOf(entry))
    return found === undefined ? [] : protestsAt(entry, found)
  })
  const unknown = strangers.filter((entry) => reasonAgainst(entry) === undefined)
  const byReason = Map.groupBy(ignored, (entry) => `${entry.file}: ignored, since ${reasonAgainst(entry)}`)
  return [
    ...protests,
    ...unknown.map((entry) => `${where(entry)} is not known${meant(entry, options)}`),
    ...[...byReason].map(([heading, list]) => `${heading}: ${list.map(named).join(', ')}`),
  ]
}

/** Why an option that this daemon does not read is none to worry about. */
function reasonAgainst(entry: Entry): string | undefined {
  return OTHERS.has(keyOf(entry)) ? 'another daemon of firstboot reads it' : whyIgnored(entry)
}

function named({ group, name, line }: Entry): string {
  return `[${group}] ${name} (line ${line})`
}

interface Known {
  readonly row: Option<unknown>
  readonly today: Place
  readonly isMistaken: boolean
}

function protestsAt(entry: Entry, { row, today, isMistaken }: Known): readonly string[] {
  if (keyOf(entry) !== keyOf(today)) return [`${where(entry)} is a former name of [${today.group}] ${today.name}`]
  if (row.secret && !isMistaken && isInterpolated(entry.value))
    return [
      `${where(entry)}: a $ in it stands for another option’s value, as oslo.config has it; write $$ for a dollar sign`,
    ]
  return []
}

/** Everything any daemon of ours reads, so that nobody is told that it is unknown. */
const OTHERS: ReadonlySet<string> = new Set(
  Object.values(everyRow)
    .filter((rows) => typeof rows === 'object')
    .flatMap((rows) => Object.entries(rows as Options).flatMap(([name, row]) => placesOf(name, row).map(keyOf))),
)

/** A name of the same group that differs little, or the same name in another group. */
function meant({ group, name }: Entry, options: Options): string {
  const places = Object.entries(options).flatMap(([key, row]) => placesOf(key, row).slice(0, 1))
  const near = nearest(
    name,
    places.filter((place) => groupName(place.group) === groupName(group)).map((place) => place.name),
  )
  const elsewhere = places.find((place) => place.name === name)
  if (near !== undefined) return `; did you mean ${near}?`
  return elsewhere === undefined ? '' : `; did you mean it in [${elsewhere.group}]?`
}

function where({ file, line, group, name }: Entry): string {
  return `${file}:${line}: [${group}] ${name}`
}

function keyOf({ group, name }: Place): string {
  return `${groupName(group)} ${name}`
}
