import { type DriveFile, DriveProblem } from './image.ts'

/** A folder of a drive that is to be written. Its contents are in one order, whatever order the files came in. */
export interface Folder {
  readonly name: string
  readonly folders: readonly Folder[]
  readonly files: readonly NamedFile[]
}

export interface NamedFile {
  readonly name: string
  readonly content: Uint8Array
}

/** What Linux allows a name to have, in bytes of UTF-8; Rock Ridge carries as much. */
const NAME_BYTES = 255

/** What Linux opens: PATH_MAX, less the zero byte at its end. */
export const PATH_BYTES = 4095

interface Growing {
  readonly folders: Map<string, Growing>
  readonly files: Map<string, Uint8Array>
}

/**
 * The files as folders within folders.
 * @throws DriveProblem when a path cannot be one: it leaves the drive, has a name that is empty or overlong, is there twice, or
 *         is a file here and a folder there
 */
export function growTree(files: readonly DriveFile[]): Folder {
  const root = emptyFolder()
  for (const { path, content } of files) {
    const names = path.split('/')
    for (const name of names) checkName(name, path)
    const bytes = Buffer.byteLength(path)
    if (bytes > PATH_BYTES) throw new DriveProblem(`${quote(path)} is ${bytes} bytes long, of at most ${PATH_BYTES}`)
    const name = names.pop() ?? ''
    const folder = names.reduce((within, folderName) => folderIn(within, folderName, path), root)
    if (folder.files.has(name)) throw new DriveProblem(`${quote(path)} is there twice`)
    if (folder.folders.has(name)) throw new DriveProblem(`${quote(path)} is a file, and a folder of other files`)
    folder.files.set(name, content)
  }
  return settled('', root)
}

function folderIn(within: Growing, name: string, path: string): Growing {
  const known = within.folders.get(name)
  if (known) return known
  if (within.files.has(name)) throw new DriveProblem(`${quote(path)} needs the folder ${quote(name)}, which is a file`)
  const added = emptyFolder()
  within.folders.set(name, added)
  return added
}

function emptyFolder(): Growing {
  return { folders: new Map(), files: new Map() }
}

function settled(name: string, { folders, files }: Growing): Folder {
  return {
    name,
    folders: byName(folders).map(([folderName, folder]) => settled(folderName, folder)),
    files: byName(files).map(([fileName, content]) => ({ name: fileName, content })),
  }
}

function byName<Value>(values: ReadonlyMap<string, Value>): [string, Value][] {
  return [...values].sort(([a], [b]) => (a < b ? -1 : 1))
}

function checkName(name: string, path: string): void {
  const wrong = wrongInName(name)
  if (wrong !== undefined) throw new DriveProblem(`${quote(path)} cannot be on a drive: ${wrong}`)
}

/** Why no file of Linux can have this name. @returns undefined when one can */
function wrongInName(name: string): string | undefined {
  if (name === '') return 'a name in it is empty (paths start without a slash and have one between names)'
  if (name === '.' || name === '..') return `the name ${quote(name)} would lead out of its folder`
  if (name.includes('/')) return `the name ${quote(name)} has a slash in it`
  if (name.includes('\0')) return 'a name has a zero byte in it'
  if (!name.isWellFormed()) return `the name ${quote(name)} is no Unicode text`
  const bytes = Buffer.byteLength(name)
  return bytes > NAME_BYTES ? `the name ${quote(name)} is ${bytes} bytes long, of at most ${NAME_BYTES}` : undefined
}

/** Whether a name from an image could take whoever unpacks it elsewhere than it seems. */
export function isTreacherous(name: string): boolean {
  return ['', '.', '..'].includes(name) || /[/\0]/.test(name)
}

/** For messages: control characters are shown, and it ends somewhere. */
export function quote(name: string): string {
  return JSON.stringify(name.length > 100 ? `${name.slice(0, 80)}…${name.slice(-15)}` : name)
}
