import { styleText } from 'node:util'

export type Colour = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'blue' | 'magenta' | 'cyan'

/** Where a command writes. Answers go to standard output, everything said about them to standard error. */
export interface Terminal {
  /** A line of the answer. */
  print(line: string): void
  /** Bytes of the answer, exactly. */
  write(bytes: Uint8Array): void
  /** A remark: progress, a warning, what to do next. */
  say(line: string): void
  /** Coloured on a terminal, plain elsewhere. */
  paint(colour: Colour, text: string): string
}

export function openTerminal(): Terminal {
  return {
    print: (line) => void process.stdout.write(`${line}\n`),
    write: (bytes) => void process.stdout.write(bytes),
    say: (line) => void process.stderr.write(`${line}\n`),
    // validateStream makes it look at NO_COLOR, FORCE_COLOR and whether anybody is watching.
    paint: (colour, text) => styleText(colour, text, { stream: process.stdout, validateStream: true }),
  }
}

/** Columns as wide as their widest cell, two blanks between. The first row is the heading. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length))
  const widths = Array.from({ length: columns }, (_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)))
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}
