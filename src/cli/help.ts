import type { Option } from '../config/option.ts'
import { flag, variable } from '../config/read.ts'
import { wrap } from '../text/wrap.ts'
import type { Command } from './command.ts'

/** Longer lines are tiring to read, whatever the terminal has. */
const WIDEST = 100

/** The page of one command. @param columns  of the terminal */
export function commandHelp(name: string, command: Command, columns = WIDEST): string[] {
  const { usage, description, options, examples } = command
  const width = Math.min(columns, WIDEST)
  const rows = Object.entries(options).map(([option, row]) => [flags(option, row), meaning(row)] as const)
  return [
    `Usage: firstboot ${name} [OPTIONS]${usage === '' ? '' : ` ${usage}`}`,
    '',
    ...wrap(description, width),
    ...section('Examples:', examples, width),
    ...section(`Options, each also as an environment variable (${example(options)}):`, rows, width),
  ]
}

/** Terms with their meanings below, so that long terms do not push the text off the screen. */
function section(title: string, rows: readonly (readonly [term: string, meaning: string])[], width: number): string[] {
  if (rows.length === 0) return []
  const indented = (text: string, blanks: number) => wrap(text, width - blanks).map((line) => ' '.repeat(blanks) + line)
  return ['', title, ...rows.flatMap(([term, text]) => [`  ${term}`, ...indented(text, 6)])]
}

function example(options: Command['options']): string {
  const [name = ''] = Object.keys(options)
  return `${flag(name)} as ${variable(name)}`
}

function flags(name: string, { placeholder, short, default: fallback }: Option<unknown>): string {
  const letter = short === undefined ? '' : `-${short}, `
  // What is on already can only be switched off.
  if (placeholder === '' && fallback === true) return `--no-${flag(name).slice(2)}`
  return `${letter}${flag(name)}${placeholder === '' ? '' : ` ${placeholder}`}`
}

function meaning({ help, default: fallback, secret }: Option<unknown>): string {
  const tells = fallback === undefined || typeof fallback === 'boolean' || String(fallback) === '' || secret
  return tells ? help : `${help} [${fallback}]`
}
