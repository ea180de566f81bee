import { parseArgs } from 'node:util'
import { nearest } from '../text/nearest.ts'
import { fileOptions, readConfigFiles } from './config-files.ts'
import { fileWarnings } from './examine.ts'
import { type FileValues, openFileValues } from './file-values.ts'
import type { Entry } from './ini.ts'
import type { Option, Options, Values } from './option.ts'
import { UsageError } from './usage-error.ts'

export { UsageError } from './usage-error.ts'

export interface Read<O extends Options> {
  readonly values: Values<O>
  readonly positionals: readonly string[]
  /** Where each value comes from: `--state-dir`, `FIRSTBOOT_STATE_DIR`, `/etc/x.ini:7`, `default`. */
  readonly origins: { readonly [N in keyof O]: string }
  /** What configuration files say that is not obeyed, or only under protest. */
  readonly warnings: readonly string[]
  /** Values that cannot be used, whose options have their default. Where a caller has not asked for these there are none. */
  readonly mistakes: readonly Mistake[]
}

export interface Mistake {
  readonly name: string
  /** Where the value is from, and what would be right. */
  readonly message: string
}

/** The origin of a value that nobody set. */
export const DEFAULT_ORIGIN = 'default'

/** The environment variable of an option: `FIRSTBOOT_STATE_DIR`. A flag wins over it. */
export function variable(name: string): string {
  return `FIRSTBOOT_${name.toUpperCase()}`
}

/** The flag of an option: `--state-dir`. */
export function flag(name: string): string {
  return `--${name.replaceAll('_', '-')}`
}

/**
 * Reads flags, then the environment, then configuration files (where the options have `config_file`), then defaults.
 * @throws UsageError for an unknown flag, a value that does not parse, a file that cannot be read
 */
export function readOptions<O extends Options>(options: O, args: readonly string[], env: NodeJS.ProcessEnv): Read<O> {
  const read = readWithMistakes(options, args, env)
  for (const { message } of read.mistakes) throw new UsageError(message)
  return read
}

/** The same for who wants to hear of every value that does not parse. @throws UsageError for the rest of what may be wrong */
export function readWithMistakes<O extends Options>(
  options: O,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Read<O> {
  const { values: given, positionals } = parse(options, args)
  const said = (name: string) => saidOf(name, options[name], given, env)
  const entries = 'config_file' in options ? entriesOf(said) : undefined
  const files = entries === undefined ? undefined : openFileValues(options, entries, (name) => lastText(said(name)))
  const mistakes: Mistake[] = []
  const read = Object.entries(options).map(([name, option]) => {
    try {
      return { name, ...optionValue(name, option, said(name), files) }
    } catch (error) {
      if (!(error instanceof UsageError)) throw error
      mistakes.push({ name, message: error.message })
      return { name, origin: DEFAULT_ORIGIN, value: option.default }
    }
  })
  return {
    values: Object.fromEntries(read.map(({ name, value }) => [name, value])) as Values<O>,
    origins: Object.fromEntries(read.map(({ name, origin }) => [name, origin])) as Read<O>['origins'],
    positionals,
    warnings: entries === undefined ? [] : fileWarnings(options, entries, new Set(mistakes.map(({ name }) => name))),
    mistakes,
  }
}

type Written = string | boolean | readonly (string | boolean)[]
type Given = Readonly<Record<string, Written | undefined>>

/** What a flag or a variable says. */
interface Said {
  readonly origin: string
  readonly written: Written
}

function saidOf(name: string, option: Option<unknown> | undefined, given: Given, env: NodeJS.ProcessEnv) {
  const flagged = given[flag(name).slice(2)]
  if (flagged !== undefined) return { origin: flag(name), written: flagged }
  const held = env[variable(name)]
  if (held === undefined) return undefined
  const words = option?.repeats ? held.split(/\s+/).filter((word) => word !== '') : held
  return { origin: variable(name), written: words }
}

function lastText(said: Said | undefined): string | undefined {
  const last = Array.isArray(said?.written) ? said.written.at(-1) : said?.written
  return last === undefined ? undefined : String(last)
}

function entriesOf(said: (name: string) => Said | undefined): readonly Entry[] | undefined {
  const paths = (name: keyof typeof fileOptions) => {
    const found = said(name)
    return found === undefined ? [] : (parsed(fileOptions[name], found.written) as readonly string[])
  }
  const [files, directories] = [paths('config_file'), paths('config_dir')]
  return files.length + directories.length === 0 ? undefined : readConfigFiles(files, directories)
}

function optionValue(name: string, option: Option<unknown>, said: Said | undefined, files: FileValues | undefined) {
  const filed = said === undefined ? files?.read(name) : undefined
  const { origin, written } = said ?? filed ?? { origin: DEFAULT_ORIGIN, written: undefined }
  if (written === undefined) return { origin, value: option.default }
  try {
    // A switch without a value is on for flags and the environment; oslo.config refuses it in files.
    if (filed?.written === '' && option.placeholder === '') throw new Error('"" is neither true nor false')
    return { origin, value: parsed(option, written) }
  } catch (error) {
    throw new UsageError(`${origin}: ${filed?.subject ?? ''}${error instanceof Error ? error.message : error}`)
  }
}

function parsed({ parse }: Option<unknown>, written: Written): unknown {
  return Array.isArray(written) ? written.flatMap((each) => parse(String(each))) : parse(String(written))
}

function parse(options: Options, args: readonly string[]): { values: Given; positionals: readonly string[] } {
  const config = Object.fromEntries(
    Object.entries(options).map(([name, { placeholder, short, repeats = false }]) => [
      flag(name).slice(2),
      {
        type: placeholder === '' ? ('boolean' as const) : ('string' as const),
        multiple: repeats,
        ...(short === undefined ? {} : { short }),
      },
    ]),
  )
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: config,
      allowPositionals: true,
      allowNegative: true,
      strict: true,
    })
    return { values: values as Given, positionals }
  } catch (error) {
    const [sentence = ''] = (error instanceof Error ? error.message : String(error)).split('. To specify')
    throw new UsageError(
      withoutValue(sentence) ?? `${sentence.replace(/\.$/, '')}${didYouMean(sentence, Object.keys(config))}`,
    )
  }
}

/** Node's words for an option that wants a value and is the last word, or stands before something with a dash. */
function withoutValue(sentence: string): string | undefined {
  const [, name, how] =
    /^Option '(?:-\w, )?(--?[\w-]+)(?: <value>)?' argument (missing|is ambiguous)/.exec(sentence) ?? []
  if (name === undefined) return undefined
  const glued = `${name}${name.startsWith('--') ? '=' : ''}`
  return how === 'missing'
    ? `${name} needs a value`
    : `${name} needs a value; one that begins with a dash is written ${glued}-...`
}

/** `Unknown option '--stat-dir'` -> `; did you mean --state-dir?` */
function didYouMean(sentence: string, known: readonly string[]): string {
  const wrong = /Unknown option '--?([^']+)'/.exec(sentence)?.[1]
  const meant = wrong === undefined ? undefined : nearest(wrong, known)
  return meant === undefined ? '' : `; did you mean --${meant}?`
}
