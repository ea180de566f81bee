import { fileOptions } from '../config/config-files.ts'
import { shown } from '../config/differences.ts'
import { type Options, placesOf, truth } from '../config/option.ts'
import { flag, type Read, readWithMistakes, UsageError } from '../config/read.ts'
import { suggestion } from '../text/nearest.ts'
import { command } from './command.ts'
import { rows } from './commands.ts'
import { type Terminal, table } from './terminal.ts'

const ownOptions = { json: truth(false, 'Print JSON.') }

/** What one daemon would run with. */
interface Effective {
  readonly daemon: string
  readonly options: readonly Setting[]
  /** What the files say that it would not obey. */
  readonly warnings: readonly string[]
  /** Why it would not start: values that cannot be used. */
  readonly mistakes: readonly string[]
}

interface Setting {
  readonly name: string
  /** Where a configuration file would have it: `[group] name`. */
  readonly place: string
  /** Empty where the one that is given cannot be used. */
  readonly value: string
  readonly origin: string
}

interface Action {
  readonly print: (found: readonly Effective[], terminal: Terminal) => void
  /** What is wrong by it: then the exit code is 1. */
  readonly wrong: (of: Effective) => readonly string[]
}

const ACTIONS: Readonly<Record<string, Action>> = {
  show: {
    print: (found, terminal) => {
      for (const { daemon, options, warnings } of found) {
        terminal.print(terminal.paint('bold', daemon))
        for (const line of table(options.map(({ place, value, origin }) => [`  ${place}`, value, origin])))
          terminal.print(line)
        for (const line of warnings) terminal.say(`warning: ${line}`)
      }
    },
    wrong: ({ mistakes }) => mistakes,
  },
  check: {
    print: (found, terminal) => {
      for (const each of found) for (const line of reproaches(each)) terminal.print(`${each.daemon}: ${line}`)
    },
    wrong: reproaches,
  },
}

function reproaches({ mistakes, warnings }: Effective): readonly string[] {
  return [...mistakes, ...warnings]
}

export const config = command({
  usage: 'show|check [DAEMON]',
  operands: 2,
  description:
    'show prints each option a daemon would run with and where its value comes from: a flag, the environment, a line of a configuration file, or the default; of secrets only that there is one. check prints only what of the files is not obeyed: unknown and ignored options, former names, values that cannot be used; then the exit code is 1, as it is for show where a value cannot be used. DAEMON is one that takes --config-file; without it all of them are looked at. Its own flags may stand beside it.',
  options: { ...fileOptions, ...ownOptions },
  toleratesMistakes: true,
  optionsFor: async (args) => {
    const daemon = args.find((arg) => daemonNames().includes(arg))
    return { ...fileOptions, ...ownOptions, ...(daemon === undefined ? {} : await daemonOptions(daemon)) }
  },
  examples: [
    [
      'firstboot config show metadata-agent --config-file /etc/neutron/metadata_agent.ini',
      'before you replace the agent',
    ],
    ['firstboot config check metadata-api --config-file /etc/nova/nova.conf', 'what of it would not be obeyed'],
  ],
  run: async ({ values, positionals, env, terminal, reread, mistakes }) => {
    for (const { name, message } of mistakes) if (name in ownOptions) throw new UsageError(message)
    const [asked = '', daemon] = positionals
    const action = ACTIONS[asked]
    if (action === undefined) throw new UsageError(`say show or check${suggestion(asked, Object.keys(ACTIONS))}`)
    const found: Effective[] = []
    for (const name of daemon === undefined ? daemonNames() : [daemon]) {
      const options = await daemonOptions(name)
      const files = Object.keys(fileOptions) as (keyof typeof fileOptions)[]
      const flags = files.flatMap((each) => values[each].flatMap((path) => [flag(each), path]))
      found.push(effective(name, options, daemon === undefined ? readWithMistakes(options, flags, env) : reread()))
    }
    if (values.json) terminal.print(JSON.stringify(found, null, 2))
    else action.print(found, terminal)
    return found.some((each) => action.wrong(each).length > 0) ? 1 : 0
  },
})

/** Every daemon that reads configuration files of the field. */
function daemonNames(): readonly string[] {
  return rows.filter(({ takesFiles }) => takesFiles).map(({ name }) => name)
}

/** @throws UsageError when there is no such daemon */
async function daemonOptions(name: string): Promise<Options> {
  const row = rows.find((each) => each.name === name && daemonNames().includes(name))
  if (row === undefined)
    throw new UsageError(`${JSON.stringify(name)} takes no configuration files${suggestion(name, daemonNames())}`)
  return (await row.load()).options
}

function effective(daemon: string, options: Options, read: Read<Options>): Effective {
  const { values, origins, warnings, mistakes } = read
  const settings = Object.entries(options)
    .filter(([name]) => !(name in fileOptions))
    .map(([name, row]) => {
      const [place = { group: '', name }] = placesOf(name, row)
      const mistake = mistakes.find((each) => each.name === name)
      return {
        name,
        place: `[${place.group}] ${place.name}`,
        value: mistake === undefined ? shown(row, values[name]) : '',
        origin: mistake === undefined ? (origins[name] ?? '') : `cannot be used: ${mistake.message}`,
      }
    })
  return { daemon, options: settings, warnings, mistakes: mistakes.map(({ message }) => message) }
}
