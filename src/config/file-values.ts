import { hostname } from 'node:os'
import { type Entry, groupName } from './ini.ts'
import { BadReference, interpolate } from './interpolate.ts'
import { type Option, type Options, type Place, placesOf } from './option.ts'
import { UsageError } from './usage-error.ts'

/** The values of options as configuration files, and the field's own defaults beneath them, have them. */
export interface FileValues {
  /** @returns undefined when neither says anything. @throws UsageError for a reference that leads nowhere */
  read(name: string): FileValue | undefined
}

export interface FileValue {
  /** `FILE:LINE`, of the last value where the option may repeat. */
  readonly origin: string
  /** `[group] name: `, for complaints about the value. */
  readonly subject: string
  readonly written: string | readonly string[]
}

/** Options that others refer to in the field's files, and that are no options of ours. */
const REFERABLE: Readonly<Record<string, () => string>> = {
  state_path: () => '/var/lib/neutron',
  host: hostname,
}

/** @param said  what a flag or the environment says about an option, which wins over the files wherever one refers to it */
export function openFileValues(
  options: Options,
  entries: readonly Entry[],
  said: (name: string) => string | undefined,
): FileValues {
  const byPlace = Map.groupBy(entries, ({ group, name }) => keyOf({ group, name }))
  const nameOf = new Map(
    Object.entries(options).flatMap(([name, row]) => placesOf(name, row).map((place) => [keyOf(place), name] as const)),
  )

  /** The entries that count for an option, the winner last: within one file today's name before former ones. */
  function entriesOf(places: readonly Place[]): readonly Entry[] {
    const found = places.flatMap((place) => byPlace.get(keyOf(place)) ?? [])
    const file = entries.findLast((entry) => found.includes(entry))?.file
    const current = places.map(keyOf).find((key) => byPlace.get(key)?.some((entry) => entry.file === file))
    return current === undefined ? [] : (byPlace.get(current) ?? [])
  }

  /** The text an option has in the end; of the field's other options what the files say. */
  function effective(place: Place, following: readonly string[]): string | undefined {
    const key = keyOf(place)
    const name = nameOf.get(key)
    const row = name === undefined ? undefined : options[name]
    const stated = name === undefined ? undefined : said(name)
    if (stated !== undefined) return stated
    if (following.includes(key)) throw new BadReference(`refers to itself by way of $${place.name}`)
    const entry = entriesOf(name === undefined || row === undefined ? [place] : placesOf(name, row)).at(-1)
    const written = entry?.value ?? row?.fieldDefault
    if (written !== undefined) return interpolate(written, (each) => referred(each, place.group, [...following, key]))
    if (row !== undefined) return printed(row)
    return place.group === 'DEFAULT' ? REFERABLE[place.name]?.() : undefined
  }

  /** `name` of the same group or else of [DEFAULT], or `group.name`. */
  function referred(reference: string, group: string, following: readonly string[]): string | undefined {
    const dot = reference.indexOf('.')
    if (dot >= 0) return effective({ group: reference.slice(0, dot), name: reference.slice(dot + 1) }, following)
    return (
      effective({ group, name: reference }, following) ??
      (group === 'DEFAULT' ? undefined : effective({ group: 'DEFAULT', name: reference }, following))
    )
  }

  function followed(value: string, { group, name }: Place, subject: string, isSecret: boolean): string {
    try {
      return interpolate(value, (each) => referred(each, group, [keyOf({ group, name })]))
    } catch (error) {
      if (!(error instanceof BadReference)) throw error
      const problem = isSecret
        ? 'a $ in it stands for another option’s value, as oslo.config has it, and this one leads nowhere; write $$ for a dollar sign'
        : error.message
      throw new UsageError(`${subject}${problem}`)
    }
  }

  return {
    read: (name) => {
      const row = options[name] as Option<unknown>
      const places = placesOf(name, row)
      const found = entriesOf(places)
      const last = found.at(-1)
      const [today = { group: '', name }] = places
      if (last === undefined) {
        if (row.fieldDefault === undefined) return undefined
        const written = followed(row.fieldDefault, today, `${name}: `, row.secret)
        return { origin: FIELD_DEFAULT_ORIGIN, subject: '', written }
      }
      const subject = `[${last.group}] ${last.name}: `
      const values = (row.repeats ? found : [last]).map((entry) =>
        followed(entry.value, entry, `${entry.file}:${entry.line}: ${subject}`, row.secret),
      )
      return { origin: `${last.file}:${last.line}`, subject, written: row.repeats ? values : (values[0] ?? '') }
    },
  }
}

/** The origin of a value that no file has, where the field's program takes another one for granted than we do. */
export const FIELD_DEFAULT_ORIGIN = 'default (of the program whose files are given)'

function keyOf({ group, name }: Place): string {
  return `${groupName(group)} ${name}`
}

function printed({ default: fallback }: Option<unknown>): string {
  return fallback === undefined ? '' : String(fallback)
}
