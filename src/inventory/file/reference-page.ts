import { inventoryShape } from './schema.ts'
import type { Fields, Kind, Shape } from './shape.ts'

/** The fields of the inventory file as Markdown tables, made of the rows that read it. */
export function referenceTables(): string {
  const sections = Object.entries(inventoryShape.fields).map(
    ([name, { about, kind }]) => `## ${name}\n\n${about}\n\n${tablesOf(shapeIn(kind), [])}`,
  )
  return `${sections.join('\n\n')}\n`
}

/** The table of a shape, then those of the shapes inside it. */
function tablesOf(shape: Shape<Fields> | undefined, path: readonly string[]): string {
  if (shape === undefined) return ''
  const rows = Object.entries(shape.fields).map(
    ([name, { about, kind, required }]) =>
      `| \`${name}\` | ${cell(kind.name)} | ${required ? 'yes' : ''} | ${cell(about)} |`,
  )
  const table = ['| Field | Value | Required | |', '|---|---|---|---|', ...rows].join('\n')
  const inner = Object.entries(shape.fields).flatMap(([name, { kind }]) => {
    const found = shapeIn(kind)
    const at = [...path, name]
    return found === undefined ? [] : [`### ${shape.name}: \`${at.join('.')}\`\n\n${tablesOf(found, at)}`]
  })
  return [table, ...inner].join('\n\n')
}

function shapeIn(kind: Kind<unknown>): Shape<Fields> | undefined {
  if ('fields' in kind) return kind as Shape<Fields>
  return kind.of === undefined ? undefined : shapeIn(kind.of)
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}
