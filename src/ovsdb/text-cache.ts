/** Names of columns and keys, uuids of references, states: what comes again and again is short. */
const MAX_BYTES = 40
const SLOTS = 1 << 13

/**
 * Gives equal short texts as one string, so that a hundred thousand rows share the keys of their maps and the uuids they
 * refer to. A slot holds the last text that fell into it: nothing grows, whatever the input.
 * @returns undefined for texts that are too long
 */
export function createTextCache(): (ascii: Buffer, begin: number, end: number) => string | undefined {
  const slots: (string | undefined)[] = new Array(SLOTS).fill(undefined)
  return (ascii, begin, end) => {
    if (end - begin > MAX_BYTES) return undefined
    let hash = 0
    for (let i = begin; i < end; i += 1) hash = (Math.imul(hash, 31) + (ascii[i] as number)) | 0
    const slot = (hash ^ (hash >>> 13)) & (SLOTS - 1)
    const known = slots[slot]
    if (known !== undefined && isSame(known, ascii, begin, end)) return known
    const text = ascii.toString('latin1', begin, end)
    slots[slot] = text
    return text
  }
}

function isSame(text: string, ascii: Buffer, begin: number, end: number): boolean {
  if (text.length !== end - begin) return false
  for (let i = 0; i < text.length; i += 1) if (text.charCodeAt(i) !== ascii[begin + i]) return false
  return true
}
