/** A table of a report. The first row is the heading; columns whose cells begin with a digit stand to the right. */
export interface Table {
  readonly caption: string
  readonly rows: readonly (readonly string[])[]
}

/** As Markdown that is readable as it is. Pure. */
export function printTable({ caption, rows }: Table): string {
  const [heading = [], ...body] = rows
  const columns = heading.map((_, i) => ({
    width: Math.max(3, ...rows.map((row) => row[i]?.length ?? 0)),
    isNumeric: body.every((row) => /^[\d<–-]/.test(row[i] ?? '')),
  }))
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const printed = rows.map((row) =>
    line(
      columns.map(({ width, isNumeric }, i) =>
        isNumeric ? (row[i] ?? '').padStart(width) : (row[i] ?? '').padEnd(width),
      ),
    ),
  )
  const rule = line(
    columns.map(({ width, isNumeric }) => (isNumeric ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width))),
  )
  return [`${caption}:`, '', printed[0], rule, ...printed.slice(1)].join('\n')
}
