import {
  type Document,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type ParsedNode,
  parseDocument,
} from 'yaml'
import { isMapping } from './values.ts'

/** The way to a value: names of members and numbers of items. */
export type Path = readonly (string | number)[]

export interface YamlProblem {
  readonly line: number
  readonly message: string
  /** The document is read in spite of it, with the last value of a name. */
  readonly isDuplicate: boolean
}

/** A document as the guest's reader sees it. */
export interface Yaml {
  /** Plain values: bytes of `!!binary` are text, a date is a Date. undefined when there are problems that stop a reader. */
  readonly value: unknown
  readonly problems: readonly YamlProblem[]
  /** Where a value, or the name of a member, stands. */
  readonly lineOf: (path: Path) => number | undefined
}

/** Reads YAML 1.1, as cloud-init's reader (PyYAML) does: `yes` is a truth value and `0644` the number 420. */
export function readYaml(text: string): Yaml {
  const lines = new LineCounter()
  const document = parseDocument(text, {
    version: '1.1',
    merge: true,
    lineCounter: lines,
    prettyErrors: false,
    logLevel: 'error', // 'silent' would also keep quiet about a second document
  })
  const lineAt = (offset: number) => lines.linePos(offset).line
  const problems = [...document.errors, ...document.warnings.filter(({ code }) => code === 'TAG_RESOLVE_FAILED')].map(
    ({ code, message, pos: [offset] }) => ({
      line: lineAt(offset),
      message: sentence(message),
      isDuplicate: code === 'DUPLICATE_KEY',
    }),
  )
  const isStopped = problems.some(({ isDuplicate }) => !isDuplicate)
  const read = isStopped ? { value: undefined, problems: [] } : plainValue(document)
  return {
    value: read.value,
    problems: [...problems, ...read.problems],
    lineOf: (path) => {
      const offset = offsetOf(document.contents, path)
      return offset === undefined ? undefined : lineAt(offset)
    },
  }
}

/** Aliases are resolved here only, so that a dangling one, or a bomb, is found here too. */
function plainValue(document: Document.Parsed): Pick<Yaml, 'value' | 'problems'> {
  try {
    return { value: document.toJS({ reviver: (_, value) => plain(value) }), problems: [] }
  } catch (error) {
    const isCycle = error instanceof RangeError
    const message = isCycle
      ? 'an alias lies inside of what it stands for'
      : sentence(String(error).replace(/^\w+: /, ''))
    return { value: undefined, problems: [{ line: 1, message, isDuplicate: false }] }
  }
}

function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1')
  if (!isMapping(value) || Object.keys(value).every((name) => name.isWellFormed())) return value
  // Half a surrogate pair, which only an escape can make, is no part of the URIs in which a validator names places.
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name.toWellFormed(), member]))
}

/** The offset of the member's name, or of the item. Of a value behind an alias: as far as the text leads. */
function offsetOf(root: ParsedNode | null, path: Path): number | undefined {
  let node: Node | null | undefined = root
  let offset = root?.range?.[0]
  for (const step of path) {
    const next: { readonly name?: unknown; readonly value: unknown } | undefined = isMap(node)
      ? memberOf(node.items, step)
      : isSeq(node) && typeof step === 'number'
        ? { value: node.items[step] }
        : undefined
    if (next === undefined) break
    const at = isNode(next.name) ? next.name : isNode(next.value) ? next.value : undefined
    offset = at?.range?.[0] ?? offset
    node = isNode(next.value) ? next.value : undefined
  }
  return offset
}

function memberOf(items: readonly { readonly key: unknown; readonly value: unknown }[], name: string | number) {
  const found = items.findLast(({ key }) => isScalar(key) && String(key.value) === String(name))
  return found && { name: found.key, value: found.value }
}

/** The library's words, without the advice that is meant for its users. */
function sentence(message: string): string {
  if (/^Source contains multiple documents/.test(message)) return 'there are several documents, divided by ---'
  const [first = ''] = message.split('\n')
  return first.charAt(0).toLowerCase() + first.slice(1)
}
