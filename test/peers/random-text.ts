import type { Random } from './random.ts'

/** Characters that something on the way may treat in its own manner: escape, sort, count, cut or lose. NUL and lone
 *  surrogates are not among them: no database keeps them. */
const CHARACTERS: readonly string[] = [
  ...'abzAZ019-_. ',
  ...'"\'\\/<>&=;:#%?+,|`~{}[]$',
  '\t',
  '\n',
  '\r',
  '\b',
  '\f',
  '\u0001',
  '\u001b',
  '\u007f',
  '\u0085',
  '\u00a0',
  'é',
  'ß',
  'e\u0301',
  'Ω',
  '世',
  '\u05d0',
  '\u2028',
  '\ufeff',
  '\uffff',
  '😀',
  '𝒳',
]

/** Names a key could have, which look like something else. */
const LOOKALIKES: readonly string[] = ['0', '10', '2', '-1', '1e3', '__proto__', 'constructor', 'true', 'null', 'None']

/** Any Unicode. */
export function anyText(random: Random, low = 1, high = 20): string {
  return random.list(low, high, () => random.pick(CHARACTERS)).join('')
}

/** Mostly what people write, now and then what nobody does. */
export function name(random: Random): string {
  if (random.once(6)) return random.pick(LOOKALIKES)
  return random.once(2) ? anyText(random) : `${random.pick(['web', 'db', 'Vm', 'node'])}-${random.integer(0, 99)}`
}

/** What Nova makes of a name: letters, digits, dots and hyphens. */
export function hostName(random: Random): string {
  const label = () => random.list(1, 12, () => random.pick([...'abcxyz0189'])).join('')
  return random.list(1, random.once(4) ? 4 : 1, label).join('.')
}
