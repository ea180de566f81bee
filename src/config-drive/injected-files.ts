import type { InjectedFile } from '../inventory/records/server.ts'
import { DriveProblem } from './image.ts'

/** What is wrong with the place of one injected file, and of which that is true. On the drive its name is a number; the
 *  place is what the guest's root will write to. */
const REFUSALS: readonly { readonly says: string; readonly holds: (path: string) => boolean }[] = [
  { says: 'is empty', holds: (path) => path === '' },
  { says: 'holds a NUL character', holds: (path) => path.includes('\0') },
  { says: 'climbs out of a folder with ".."', holds: (path) => steps(path).includes('..') },
  { says: 'names a folder, not a file', holds: (path) => /[\\/]$/.test(path) },
]

/** @throws DriveProblem naming every file that no drive should carry, before anything is written */
export function checkInjectedFiles(files: readonly Pick<InjectedFile, 'path'>[]): void {
  const problems = [...files.flatMap(({ path }) => refusal(path)), ...collisions(files.map(({ path }) => path))]
  if (problems.length > 0) throw new DriveProblem(problems.join('; '))
}

function refusal(path: string): string[] {
  const refused = REFUSALS.find(({ holds }) => holds(path))
  return refused === undefined ? [] : [`the path of injected file ${JSON.stringify(path)} ${refused.says}`]
}

/** Two files for one place: the guest would keep the one that it happens to write last. */
function collisions(paths: readonly string[]): string[] {
  const places = paths.map((path) => steps(path).join('/'))
  const twice = paths.filter((_, index) => places.indexOf(places[index] ?? '') < index)
  return twice.map((path) => `two injected files go to ${JSON.stringify(path)}`)
}

function steps(path: string): string[] {
  return path.split(/[\\/]/).filter((step) => step !== '' && step !== '.')
}
