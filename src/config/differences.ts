import type { Option, Options } from './option.ts'
import type { Read } from './read.ts'

/** An option whose value is another one than before, as texts for people. */
export interface Difference<N = string> {
  readonly name: N
  readonly before: string
  readonly after: string
  readonly origin: string
}

/** What reading the same options again has brought, in the order of their names. Pure. */
export function differences<O extends Options>(
  options: O,
  before: Read<O>,
  after: Read<O>,
): readonly Difference<keyof O & string>[] {
  return Object.entries(options)
    .filter(([name]) => JSON.stringify(before.values[name]) !== JSON.stringify(after.values[name]))
    .map(([name, row]) => ({
      name,
      before: shown(row, before.values[name]),
      after: shown(row, after.values[name]),
      origin: after.origins[name] ?? '',
    }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

/** A value as people may see it: of secrets only whether there is one. */
export function shown({ secret }: Option<unknown>, value: unknown): string {
  const text = value === undefined ? '' : String(value)
  return secret && text !== '' ? '***' : text
}
