import { readFileSync } from 'node:fs'
import { type Known, known } from './known.ts'

/** The variables that a process was started with. Only its owner and root may read them. */
export function environmentOf(pid: number): Known<Readonly<Record<string, string>>> {
  return known(`the environment of process ${pid}`, () => {
    const pairs = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').filter(Boolean)
    return Object.fromEntries(
      pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
    )
  })
}

/** Where a process' relative paths begin, as a path that anybody may use who may look at it. */
export function workingDirectoryOf(pid: number): string {
  return `/proc/${pid}/cwd`
}
