import type { Option } from '../../config/option.ts'
import { variable } from '../../config/read.ts'
import type { ConfigurationFacts } from '../../doctor/facts.ts'
import { nearest } from '../../text/nearest.ts'
import { rows } from '../commands.ts'

/** Variables of ours that are no options: told by the sandbox, the lab, and whoever wants to see where an error is from. */
const OTHERS = ['FIRSTBOOT_SANDBOX', 'FIRSTBOOT_LAB_STATE', 'FIRSTBOOT_DEBUG']

/** Examines the variables that firstboot would read. */
export async function configurationFacts(env: NodeJS.ProcessEnv): Promise<ConfigurationFacts> {
  const options = await optionsByVariable()
  const given = Object.entries(env).filter(([name]) => name.startsWith('FIRSTBOOT_'))
  const known = [...options.keys(), ...OTHERS]
  return {
    unknown: given
      .filter(([name]) => !known.includes(name))
      .map(([name]) => ({ name, meant: nearest(name, options.keys()) })),
    wrong: given
      .flatMap(([name, value = '']) => (options.get(name) ?? []).flatMap((option) => refusal(name, option, value)))
      .filter((message, i, all) => all.indexOf(message) === i),
  }
}

/** Of all commands. Some have options of the same name with other rules. */
async function optionsByVariable(): Promise<ReadonlyMap<string, readonly Option<unknown>[]>> {
  const commands = await Promise.all(rows.map((row) => row.load()))
  const pairs = commands.flatMap(({ options }) => Object.entries(options))
  const grouped = Map.groupBy(pairs, ([name]) => variable(name))
  return new Map([...grouped].map(([name, found]) => [name, found.map(([, option]) => option)]))
}

function refusal(name: string, { parse, secret }: Option<unknown>, value: string): readonly string[] {
  try {
    parse(value)
    return []
  } catch (cause) {
    return [secret ? `${name} cannot be read` : `${name}: ${cause instanceof Error ? cause.message : cause}`]
  }
}
