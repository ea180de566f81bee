import type { Options } from './option.ts'
import { flag, variable } from './read.ts'

/** A command line on which another process of ours reads the same values. Secrets go by the environment: a flag shows in the
 *  list of processes. */
export function argumentsFor(
  options: Options,
  values: Readonly<Record<string, unknown>>,
): { readonly args: readonly string[]; readonly env: Readonly<Record<string, string>> } {
  const args: string[] = []
  const env: Record<string, string> = {}
  for (const [name, { secret, repeats, placeholder }] of Object.entries(options)) {
    const value = values[name]
    if (value === undefined) continue
    if (secret) env[variable(name)] = String(value)
    else if (placeholder === '') args.push(value === true ? flag(name) : `--no-${flag(name).slice(2)}`)
    else if (repeats) for (const each of value as readonly unknown[]) args.push(`${flag(name)}=${each}`)
    else args.push(`${flag(name)}=${value}`)
  }
  return { args, env }
}
