/**
 * Whether a path fits a pattern. `*` stands for any part of one name, `**` for anything; a slash at the end counts in
 * neither.
 * @param path  normalised, such as `/openstack/latest/user_data`
 */
export function fitsPath(pattern: string, path: string): boolean {
  return expressionOf(withoutEnd(pattern)).test(withoutEnd(path))
}

const expressions = new Map<string, RegExp>()

/** Patterns are few (rows of a table, words of a command line), so each is translated once. */
function expressionOf(pattern: string): RegExp {
  const known = expressions.get(pattern)
  if (known !== undefined) return known
  const source = pattern
    .split(/(\*+)/)
    .map((part) => WILDCARDS.get(part) ?? part.replace(/[^\w/]/g, '\\$&'))
    .join('')
  const expression = new RegExp(`^${source}$`)
  expressions.set(pattern, expression)
  return expression
}

const WILDCARDS: ReadonlyMap<string, string> = new Map([
  ['*', '[^/]*'],
  ['**', '.*'],
])

function withoutEnd(path: string): string {
  return path.replace(/\/+$/, '')
}
