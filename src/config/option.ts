/** One option of a daemon or a command. Flags, environment, `--help` and the reference page are drawn from rows of these. */
export interface Option<T> {
  /** What a value looks like in `--help`: `PATH`, `SECONDS`; empty for a switch. */
  readonly placeholder: string
  readonly help: string
  readonly default: T
  /** Never printed. */
  readonly secret: boolean
  /** The flag may be given several times (in the environment blanks separate the values); `parse` then gets each, and what
   *  it gives is strung together. */
  readonly repeats?: true
  /** One letter, for flags used by hand all day. */
  readonly short?: string
  /** Where configuration files have it: the field's name of today first, former ones after it (they are obeyed with a
   *  warning). Without: in our own group, `[firstboot]`, under its own name. */
  readonly places?: readonly Place[]
  /** What the program we stand in for takes for granted, written as in a file. It holds in place of `default` as soon as
   *  a configuration file is given. */
  readonly fieldDefault?: string
  /** @throws Error whose message says what would be right */
  readonly parse: (text: string) => T
}

/** A name in a configuration file. */
export interface Place {
  readonly group: string
  readonly name: string
}

export type Options = Readonly<Record<string, Option<unknown>>>

/** The values of a set of options, by name. */
export type Values<O extends Options> = { readonly [N in keyof O]: O[N] extends Option<infer T> ? T : never }

interface Extras {
  readonly short?: string
  readonly secret?: boolean
}

/** An option of the field: where its files have it. @param places  `GROUP.NAME`, today's first */
export function inFiles<T>(row: Option<T>, places: readonly string[], fieldDefault?: string): Option<T> {
  return { ...row, places: places.map(placeOf), ...(fieldDefault === undefined ? {} : { fieldDefault }) }
}

function placeOf(written: string): Place {
  const dot = written.indexOf('.')
  return { group: written.slice(0, dot), name: written.slice(dot + 1) }
}

/** Where a configuration file may have the option of this name. */
export function placesOf(name: string, { places }: Option<unknown>): readonly Place[] {
  return places ?? [{ group: OWN_GROUP, name }]
}

/** The group of options that no program of the field has. */
export const OWN_GROUP = 'firstboot'

function option<T>(
  placeholder: string,
  fallback: T,
  help: string,
  parse: (text: string) => T,
  extras: Extras = {},
): Option<T> {
  const { short, secret = false } = extras
  return { placeholder, help, default: fallback, parse, secret, ...(short === undefined ? {} : { short }) }
}

export function text<T extends string | undefined>(placeholder: string, fallback: T, help: string, extras?: Extras) {
  return option<T | string>(placeholder, fallback, help, (given) => given, extras)
}

/** Texts between commas, without the blanks around them; empty for none. */
export function list(placeholder: string, fallback: readonly string[], help: string) {
  return option<readonly string[]>(placeholder, fallback, help, splitList)
}

/** The same of these choices. */
export function listOf<const T extends string>(choices: readonly T[], fallback: readonly T[], help: string) {
  return option<readonly T[]>(`${choices.join('|')},...`, fallback, help, (given) =>
    splitList(given).map((item) => chosen(choices, item)),
  )
}

function splitList(given: string): readonly string[] {
  return given.trim() === '' ? [] : given.split(',').map((item) => item.trim())
}

/** Several texts: by repeating the flag, or separated by blanks in the environment. */
export function texts(placeholder: string, fallback: readonly string[], help: string): Option<readonly string[]> {
  return { ...option(placeholder, fallback, `${help} May be repeated.`, (given) => [given]), repeats: true }
}

export function integer(placeholder: string, fallback: number, help: string, range: { min: number; max: number }) {
  return option(placeholder, fallback, help, (given) => {
    const number = Number(given)
    if (!/^-?\d+$/.test(given) || number < range.min || number > range.max)
      throw new Error(`${JSON.stringify(given)} is not a whole number from ${range.min} to ${range.max}`)
    return number
  })
}

/** A mark of 16 bits as netfilter's tools write it: `0x1`. */
export function packetMark(fallback: string, help: string) {
  return option('MARK', fallback, help, (given) => {
    const number = /^(0x[0-9a-f]+|\d+)$/i.test(given) ? Number(given) : Number.NaN
    if (!(number >= 1 && number <= 0xffff && number !== 2))
      throw new Error(`${JSON.stringify(given)} is not a mark from 0x1 to 0xffff other than 0x2`)
    return `0x${number.toString(16)}`
  })
}

export function port(fallback: number, help: string) {
  return integer('PORT', fallback, help, { min: 0, max: 65_535 })
}

export function oneOf<const T extends string>(choices: readonly T[], fallback: T, help: string) {
  return option<T>(choices.join('|'), fallback, help, (given) => chosen(choices, given))
}

function chosen<const T extends string>(choices: readonly T[], given: string): T {
  const choice = choices.find((each) => each === given)
  if (choice === undefined) throw new Error(`${JSON.stringify(given)} is none of ${choices.join(', ')}`)
  return choice
}

/** Truth as oslo.config spells it. */
const TRUTH: Readonly<Record<string, boolean>> = {
  true: true,
  yes: true,
  on: true,
  '1': true,
  '': true,
  false: false,
  no: false,
  off: false,
  '0': false,
}

/** On the command line `--name` alone means true. */
export function truth(fallback: boolean, help: string, extras?: Extras) {
  return option(
    '',
    fallback,
    help,
    (given) => {
      const value = TRUTH[given.toLowerCase()]
      if (value === undefined) throw new Error(`${JSON.stringify(given)} is neither true nor false`)
      return value
    },
    extras,
  )
}
