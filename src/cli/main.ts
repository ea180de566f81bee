import { differences } from '../config/differences.ts'
import { readOptions, readWithMistakes, UsageError } from '../config/read.ts'
import { version } from '../daemons/version.ts'
import type { Command } from './command.ts'
import { nearestName, type Row, rows } from './commands.ts'
import { explainFailure } from './failure.ts'
import { commandHelp } from './help.ts'
import { openTerminal, type Terminal, table } from './terminal.ts'

const USAGE_ERROR = 2

/** Runs one command line. @returns the exit code */
export async function main(args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<number> {
  const terminal = openTerminal()
  const [first, ...rest] = args
  if (first === undefined || first === 'help' || first === '--help' || first === '-h') return help(rest[0], terminal)
  if (first === '--version' || first === 'version') {
    terminal.print(`firstboot ${version()}`)
    return 0
  }
  const row = rows.find(({ name }) => name === first)
  if (row === undefined) return unknown(first, terminal)
  const command = await row.load()
  const end = rest.indexOf('--')
  if (rest.slice(0, end < 0 ? undefined : end).some((arg) => arg === '--help' || arg === '-h'))
    return help(first, terminal)
  try {
    const options = (await command.optionsFor?.(rest)) ?? command.options
    const read = command.toleratesMistakes ? readWithMistakes : readOptions
    let last = read(options, rest, env)
    const reread = () => {
      const before = last
      last = read(options, rest, env)
      return { ...last, changed: differences(options, before, last) }
    }
    const { values, positionals, origins, warnings, mistakes } = last
    const surplus = positionals.slice(command.operands ?? 0)
    if (surplus.length > 0) throw new UsageError(`nothing is done with ${surplus.map(quoted).join(' ')}`)
    // A command that looks at a daemon's options says itself what is wrong with them.
    if (command.optionsFor === undefined)
      for (const line of warnings) terminal.say(`firstboot ${first}: warning: ${line}`)
    return await command.run({ values, positionals, origins, mistakes, env, terminal, reread })
  } catch (error) {
    if (error instanceof UsageError) {
      terminal.say(`firstboot ${first}: ${error.message}`)
      terminal.say(`Try: firstboot ${first} --help`)
      return USAGE_ERROR
    }
    for (const line of explainFailure(error, env)) terminal.say(`firstboot ${first}: ${line}`)
    return 1
  }
}

async function help(name: string | undefined, terminal: Terminal): Promise<number> {
  if (name === undefined || name.startsWith('-')) {
    overview().forEach(terminal.print)
    return 0
  }
  const row = rows.find((each) => each.name === name)
  if (row === undefined) return unknown(name, terminal)
  const command: Command = await row.load()
  commandHelp(name, command, process.stdout.columns).forEach(terminal.print)
  return 0
}

function overview(): string[] {
  const listed = (...groups: readonly Row['group'][]) =>
    table(rows.filter((row) => groups.includes(row.group)).map(({ name, summary }) => [`  ${name}`, summary]))
  return [
    'firstboot tells virtual machines who they are, as OpenStack does: over HTTP at 169.254.169.254.',
    '',
    'Usage: firstboot COMMAND [OPTIONS]',
    '',
    'Try it:',
    ...listed('try'),
    '',
    'Say what exists, and see it:',
    ...listed('inventory'),
    '',
    'See what happens, and why not:',
    ...listed('observe'),
    '',
    'Run it:',
    ...listed('daemon', 'settings'),
    '',
    'firstboot COMMAND --help shows options and examples. In a clone it is called: npx firstboot',
  ]
}

function unknown(name: string, terminal: Terminal): number {
  const near = nearestName(name)
  terminal.say(
    `firstboot: there is no command ${JSON.stringify(name)}${near === undefined ? '' : `; did you mean ${near}?`}`,
  )
  terminal.say('Try: firstboot --help')
  return USAGE_ERROR
}

function quoted(word: string): string {
  return JSON.stringify(word)
}
