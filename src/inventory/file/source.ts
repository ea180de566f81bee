import { type Document, isMap, isPair, isScalar, isSeq, LineCounter, type Node, parseDocument, visit } from 'yaml'
import type { Path, Problem } from './problem.ts'

/** A parsed text that still knows where everything stands. */
export interface Source {
  /** Mappings are Maps, so that the order of names is the text's and no name is special. */
  readonly value: unknown
  /** Where the value at this path stands, or the nearest thing around it. Lines and columns count from 1. */
  locate(path: Path): { readonly line: number; readonly column: number }
}

/** Reads YAML 1.2, of which JSON is a part. One bad place does not hide the others. */
export function parseSource(file: string, text: string): Source | readonly Problem[] {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, merge: true, prettyErrors: false })
  if (document.errors.length > 0) {
    return document.errors.map(({ pos, message, code }) => {
      const { line, col } = lines.linePos(pos[0])
      const said = code === 'DUPLICATE_KEY' ? givenTwice(document, pos[0]) : syntaxMessages[code]
      return { file, line, column: col, field: '', message: said ?? `not valid YAML: ${message}` }
    })
  }
  const value = readValue(document)
  if (value === undefined) {
    return [{ file, line: 1, column: 1, field: '', message: 'uses YAML aliases without end; write the values out' }]
  }
  return {
    value,
    locate(path) {
      const { line, col } = lines.linePos(offsetOf(document.contents, path))
      return { line: Math.max(line, 1), column: Math.max(col, 1) }
    },
  }
}

const syntaxMessages: Readonly<Record<string, string>> = {
  MULTIPLE_DOCS: 'a second YAML document begins here; put everything into one',
  TAB_AS_INDENT: 'a tab indents this line; YAML wants spaces',
}

/** @param offset  where the second of the two begins */
function givenTwice(document: Document.Parsed, offset: number): string {
  let name = 'this name'
  visit(document, {
    Pair: (_, { key }) => {
      if (isScalar(key) && key.range?.[0] === offset) name = JSON.stringify(String(key.value))
    },
  })
  return `${name} is given twice in one place; keep one of the two`
}

/** undefined when the document's aliases multiply beyond reason, which the parser refuses. */
function readValue(document: ReturnType<typeof parseDocument>): unknown {
  try {
    return document.toJS({ mapAsMap: true }) ?? null
  } catch {
    return undefined
  }
}

/** Offset of the name of the last step that exists in the text (of the value itself in a list). */
function offsetOf(top: Node | null, path: Path): number {
  let node: unknown = top
  let offset = top?.range?.[0] ?? 0
  for (const step of path) {
    const [next, at] = childOf(node, step)
    if (at === undefined) break
    node = next
    offset = at
  }
  return offset
}

function childOf(node: unknown, step: string | number): readonly [next: unknown, offset: number | undefined] {
  if (isSeq(node) && typeof step === 'number') {
    const item = node.items[step] as Node | undefined
    return [item, item?.range?.[0]]
  }
  if (isMap(node)) {
    const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step))
    if (isPair(pair) && isScalar(pair.key)) return [pair.value, pair.key.range?.[0]]
  }
  return [undefined, undefined]
}
