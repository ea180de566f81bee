import { parseArgs } from 'node:util'
import { nearest } from '../text/nearest.ts'
import type { Option, Options, Values } from './option.ts'

/** A command line that cannot be obeyed; its message is for the person who typed it. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

export interface Read<O extends Options> {
  readonly values: Values<O>
  readonly positionals: readonly string[]
}

/** The environment variable of an option: `FIRSTBOOT_STATE_DIR`. A flag wins over it. */
export function variable(name: string): string {
  return `FIRSTBOOT_${name.toUpperCase()}`
}

/** The flag of an option: `--state-dir`. */
export function flag(name: string): string {
  return `--${name.replaceAll('_', '-')}`
}

/**
 * Reads flags, then the environment, then defaults.
 * @throws UsageError for an unknown flag or a value that does not parse
 */
export function readOptions<O extends Options>(options: O, args: readonly string[], env: NodeJS.ProcessEnv): Read<O> {
  const { values: given, positionals } = parse(options, args)
  const values: Record<string, unknown> = {}
  for (const [name, option] of Object.entries(options)) {
    const flagged = given[flag(name).slice(2)]
    const [origin, written] = flagged === undefined ? [variable(name), env[variable(name)]] : [flag(name), flagged]
    try {
      values[name] = written === undefined ? option.default : parsed(option, written)
    } catch (error) {
      throw new UsageError(`${origin}: ${error instanceof Error ? error.message : error}`)
    }
  }
  return { values: values as Values<O>, positionals }
}

type Written = string | boolean | readonly (string | boolean)[]
type Given = Readonly<Record<string, Written | undefined>>

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
    throw new UsageError(`${sentence.replace(/\.$/, '')}${didYouMean(sentence, Object.keys(config))}`)
  }
}

/** `Unknown option '--stat-dir'` -> `; did you mean --state-dir?` */
function didYouMean(sentence: string, known: readonly string[]): string {
  const wrong = /Unknown option '--?([^']+)'/.exec(sentence)?.[1]
  const meant = wrong === undefined ? undefined : nearest(wrong, known)
  return meant === undefined ? '' : `; did you mean --${meant}?`
}
