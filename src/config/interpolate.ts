/** A reference that cannot be followed; the message says why, without the value that holds it. */
export class BadReference extends Error {
  override readonly name = 'BadReference'
}

/** `$$`; `$name`, `$group.name`; the same in braces. Case does not matter to what counts as a name. */
const REFERENCE = /\$(?:(\$)|([_a-z][._a-z0-9]*)|\{([_a-z][._a-z0-9]*)\})/gi

/**
 * Puts the values of other options in the place of `$name`, `${name}` and `$group.name`, as oslo.config does. `$$` and
 * `\$` are a dollar sign; a dollar sign before anything else stands for itself. Pure.
 *
 * @param lookup  the value of an option; undefined when there is none of that name. May throw BadReference itself
 * @throws BadReference
 */
export function interpolate(value: string, lookup: (name: string) => string | undefined): string {
  return value.replaceAll('\\$', '$$$$').replace(REFERENCE, (_, dollar, bare, braced) => {
    if (dollar !== undefined) return '$'
    const name: string = bare ?? braced
    const found = lookup(name)
    if (found === undefined) throw new BadReference(unknownReference(name))
    return found
  })
}

/** Whether another option's value is a part of this one. */
export function isInterpolated(value: string): boolean {
  let count = 0
  interpolate(value, () => {
    count += 1
    return ''
  })
  return count > 0
}

function unknownReference(name: string): string {
  const [first = name] = name.split('.')
  const hint = name.includes('.') ? `, or \${${first}} where the option ends before the dot` : ''
  return `refers to $${name}, and there is no such option; write $$ for a dollar sign${hint}`
}
