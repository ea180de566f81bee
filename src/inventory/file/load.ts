import { readFileSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { formatPath, type Path, type Problem } from './problem.ts'
import { type InventoryDocument, inventoryShape } from './schema.ts'
import type { Reading } from './shape.ts'
import { parseSource } from './source.ts'

/** An inventory file as read. What was wrong with it so far is noted; `planApply` finds the rest and refuses it whole. */
export interface InventoryFile {
  /** undefined when the text is no YAML or no mapping. */
  readonly document: InventoryDocument | undefined
  readonly problems: readonly Problem[]
  /** The problem with its place in the text. */
  problemAt(path: Path, message: string): Problem
}

/** Reads the file and the files it names. Trouble with reading is a problem like any other. */
export function loadInventoryFile(path: string): InventoryFile {
  try {
    return readInventory(path, readFileSync(path, 'utf8'), (name, limit) =>
      readWhole(resolve(dirname(path), name), limit),
    )
  } catch (error) {
    return unreadable([problemIn(path, 1, 1, [], `cannot be read: ${reasonOf(error)}`)], path)
  }
}

/**
 * Reads the text of an inventory file.
 * @param file  its name, for messages
 * @param bytesOf  gives the bytes of the files it names
 */
export function readInventory(file: string, text: string, bytesOf: Reading['bytesOf']): InventoryFile {
  const source = parseSource(file, text)
  if (!('value' in source)) return unreadable(source, file)
  const problems: Problem[] = []
  const problemAt = (path: Path, message: string) => {
    const { line, column } = source.locate(path)
    return problemIn(file, line, column, path, message)
  }
  const report = (path: Path, message: string) => problems.push(problemAt(path, message))
  const document = inventoryShape.read(source.value, [], { report, bytesOf })
  return { document, problems, problemAt }
}

function unreadable(problems: readonly Problem[], file: string): InventoryFile {
  return { document: undefined, problems, problemAt: (path, message) => problemIn(file, 1, 1, path, message) }
}

function problemIn(file: string, line: number, column: number, path: Path, message: string): Problem {
  return { file, line, column, field: formatPath(path), message }
}

/** @throws Error with a short reason */
function readWhole(path: string, limit: number): Uint8Array {
  try {
    const found = statSync(path)
    if (!found.isFile()) throw new Error('it is not a regular file')
    if (found.size > limit) throw new Error(`it has ${found.size} bytes; at most ${limit} are allowed`)
    return readFileSync(path)
  } catch (error) {
    throw new Error(reasonOf(error), { cause: error })
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'no permission',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of its path is not a directory',
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return ('code' in error ? reasons[String(error.code)] : undefined) ?? error.message
}
