/** An XML element: name, attributes, and what is in it. */
export interface Element {
  readonly name: string
  readonly attributes?: Readonly<Record<string, string | undefined>>
  readonly content?: string | readonly Element[]
}

/** Two blanks a level, as libvirt prints it. */
export function writeXml({ name, attributes = {}, content }: Element, indent = ''): string {
  const given = Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [` ${key}="${escaped(value)}"`],
  )
  const open = `${indent}<${name}${given.join('')}`
  if (content === undefined || content.length === 0) return `${open}/>\n`
  if (typeof content === 'string') return `${open}>${escaped(content)}</${name}>\n`
  return `${open}>\n${content.map((each) => writeXml(each, `${indent}  `)).join('')}${indent}</${name}>\n`
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
}

/** The control characters that can be written. */
const WRITABLE = new Set(['\t', '\n', '\r'])

/** A name may hold anything, but XML 1.0 has no way to write most control characters: they are shown as a sign. */
function escaped(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/[\p{Cc}\ufffe\uffff]/gu, (character) => (WRITABLE.has(character) ? character : '\u{fffd}'))
    .replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
    .replaceAll(/[\t\n\r]/g, (character) => `&#${character.charCodeAt(0)};`)
}
