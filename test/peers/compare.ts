import { type Answer, fieldOf, type Outcome } from './wire.ts'

/** What a client could tell the answers by, in words; undefined when nothing. */
export function difference(nova: Outcome, ours: Outcome): string | undefined {
  if (nova === 'closed' || ours === 'closed') {
    return nova === ours ? undefined : `Nova ${statusOf(nova)}, firstboot ${statusOf(ours)}`
  }
  const sides = [
    ['status', nova.status, ours.status],
    ['body', printBody(nova), printBody(ours)],
    ['headers', printFields(nova), printFields(ours)],
  ] as const
  const found = sides.find(([, theirs, own]) => theirs !== own)
  return (
    found &&
    `${found[0]}: Nova ${quote(...around(found[1], found[2]))}, firstboot ${quote(...around(found[2], found[1]))}`
  )
}

function statusOf(outcome: Outcome): string {
  return outcome === 'closed' ? 'closes without a byte' : outcome.status
}

/** In wire order. The moment is no difference. */
function printFields({ fields }: Answer): string {
  return fields.map(([name, value]) => `${name}: ${name === 'Date' ? '*' : value}`).join('\n')
}

/** The seed is new at each request; that it has 684 characters is not. */
function printBody(answer: Answer): string {
  const body = answer.body.toString('latin1')
  const isJson = fieldOf(answer, 'content-type') === 'application/json'
  return isJson ? body.replace(/(?<="random_seed": ")[A-Za-z0-9+/]{683}=(?=")/, '*') : body
}

const SHOWN = 160

/** The part of a text from shortly before it departs from the other. */
function around(text: string, other: string): readonly [part: string, length: number] {
  let same = 0
  while (same < text.length && text[same] === other[same]) same += 1
  return [text.slice(Math.max(0, same - SHOWN / 4), same + SHOWN), text.length]
}

function quote(part: string, length: number): string {
  return `(${length}) ${JSON.stringify(part)}`
}
