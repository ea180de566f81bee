import type { Program } from '../namespace.ts'
import { listProcesses, type ProcessInfo } from '../process.ts'
import { filesReadBy } from './files.ts'
import { KINDS, type Kind } from './kinds.ts'

/** A program that an earlier run of ours started. */
export interface Found extends ProcessInfo {
  readonly kind: Program['kind']
  readonly directory: string
  /** What it has read; undefined when nobody knows. */
  readonly files: Readonly<Record<string, string>> | undefined
  /** See `Kind.setting`, as far as it is known. */
  readonly setting: readonly string[]
}

/**
 * Programs with a directory below the state directory among their arguments, by which they are known: a pid file can be
 * lost, or name a stranger. Of two that serve the same, as when one was relieved by the other, the younger comes first.
 */
export function findPrograms(statePath: string): readonly Found[] {
  const found = listProcesses((args) => recognise(statePath, args) !== undefined)
  // Some have processes of their own, with the same arguments: they come and go with them.
  const pids = new Set(found.map(({ pid }) => pid))
  return found
    .filter(({ parent }) => !pids.has(parent))
    .sort((a, b) => Number(b.startTime) - Number(a.startTime))
    .flatMap((process) => {
      const known = recognise(statePath, process.arguments)
      if (known === undefined) return []
      const { file } = KINDS[known.kind].check ?? {}
      const files = file === undefined ? undefined : filesReadBy(process, known.directory, [file])
      return [{ ...process, ...known, files, setting: [...known.arguments, ...Object.values(files ?? {})] }]
    })
}

interface Recognised {
  readonly kind: Program['kind']
  readonly directory: string
  /** Without the program's name and what concerns only how it is run. */
  readonly arguments: readonly string[]
}

/** What a command line is of ours. Pure. */
export function recognise(statePath: string, commandLine: readonly string[]): Recognised | undefined {
  for (const [name, kind] of Object.entries(KINDS) as readonly [Program['kind'], Kind][]) {
    const directory = directoryIn(`${statePath}/${kind.folder}/`, commandLine)
    if (directory === undefined || !hasSideBySide(commandLine, kind.signature(directory))) continue
    const [, ...args] = commandLine
    const end = args.indexOf(kind.foreground)
    return { kind: name, directory, arguments: end === -1 ? args : args.slice(0, end) }
  }
  return undefined
}

function directoryIn(folder: string, args: readonly string[]): string | undefined {
  const argument = args.find((each) => each.includes(folder))
  if (argument === undefined) return undefined
  const [name = ''] = argument.slice(argument.indexOf(folder) + folder.length).split('/')
  // Directories are deleted by these names.
  return /^[\w-]+$/.test(name) ? folder + name : undefined
}

function hasSideBySide(args: readonly string[], wanted: readonly string[]): boolean {
  return args.some((_, at) => wanted.every((each, offset) => args[at + offset] === each))
}
