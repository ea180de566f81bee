import { nearest } from '../text/nearest.ts'

/** One way of answering wrongly: which requests, and what happens to them. */
export interface Fault {
  /** As it was written, for the log. */
  readonly text: string
  /** A pattern, see `fitsPath`. */
  readonly path: string
  /** Which of one guest's requests for such a path, counted from 1. */
  readonly isTurn: (count: number) => boolean
  readonly delayMilliseconds: number
  /** Answered in place of the document. */
  readonly status: number | undefined
  readonly breakage: Breakage | undefined
}

/** What is done to an answer on the wire. */
export type Breakage =
  | { readonly kind: 'reset' }
  /** The connection ends after so many bytes of the body; undefined: in its middle. */
  | { readonly kind: 'truncate'; readonly bytes: number | undefined }
  /** Content-Length is that much more or less than what is sent. */
  | { readonly kind: 'length'; readonly difference: number }

/** Where a truncated body ends. */
export function keptBytes({ bytes }: Extract<Breakage, { kind: 'truncate' }>, body: Uint8Array): number {
  return bytes ?? Math.floor(body.length / 2)
}

/** Thrown by `parseFault`; says what would be right. */
export class FaultNotUnderstood extends Error {
  override readonly name = 'FaultNotUnderstood'
}

/** One word of a fault, `name` or `name=value`. */
interface Word {
  readonly name: string
  /** How it is written. */
  readonly example: string
  readonly is: 'action' | 'turn'
  /** What it sets, one field. @returns undefined when the value does not fit; a word without a value has the empty one */
  readonly read: (value: string) => Partial<Fault> | undefined
}

const WORDS: readonly Word[] = [
  { name: 'delay', example: 'delay=2s or delay=300ms', is: 'action', read: readDelay },
  {
    name: 'status',
    example: 'status=503 (200 to 599)',
    is: 'action',
    read: (value) => (/^[2-5]\d\d$/.test(value) ? { status: Number(value) } : undefined),
  },
  { name: 'missing', example: 'missing', is: 'action', read: (value) => (value === '' ? { status: 404 } : undefined) },
  {
    name: 'reset',
    example: 'reset',
    is: 'action',
    read: (value) => (value === '' ? { breakage: { kind: 'reset' } } : undefined),
  },
  {
    name: 'truncate',
    example: 'truncate (after half the body) or truncate=100 (after 100 bytes of it)',
    is: 'action',
    read: (value) =>
      /^\d*$/.test(value)
        ? { breakage: { kind: 'truncate', bytes: value === '' ? undefined : Number(value) } }
        : undefined,
  },
  {
    name: 'length',
    example: 'length=+10 or length=-10 (Content-Length too high or too low)',
    is: 'action',
    read: (value) =>
      /^[+-]\d+$/.test(value) ? { breakage: { kind: 'length', difference: Number(value) } } : undefined,
  },
  { name: 'first', example: 'first=2 (the first two requests)', is: 'turn', read: turn((n) => (count) => count <= n) },
  { name: 'nth', example: 'nth=3 (the third alone)', is: 'turn', read: turn((n) => (count) => count === n) },
  { name: 'every', example: 'every=2 (each second)', is: 'turn', read: turn((n) => (count) => count % n === 0) },
  { name: 'after', example: 'after=1 (all but the first)', is: 'turn', read: turn((n) => (count) => count > n) },
]

const ALWAYS: Omit<Fault, 'text' | 'path'> = {
  isTurn: () => true,
  delayMilliseconds: 0,
  status: undefined,
  breakage: undefined,
}

/**
 * Reads `PATH:WORD:WORD...`, such as `/openstack/latest/user_data:status=503:first=2`.
 * @throws FaultNotUnderstood
 */
export function parseFault(text: string): Fault {
  const [path = '', ...written] = text.split(':')
  if (!path.startsWith('/'))
    throw new FaultNotUnderstood(
      `${JSON.stringify(text)} does not begin with a path; write PATH:ACTION, such as /openstack/*/user_data:status=503`,
    )
  const words = written.map(parseWord)
  const [clash] = [...Map.groupBy(words, ({ means }) => Object.keys(means)[0])].filter(([, same]) => same.length > 1)
  if (clash !== undefined)
    throw new FaultNotUnderstood(
      `${text}: ${clash[1].map(({ word }) => word.name).join(' and ')} contradict each other`,
    )
  if (!words.some(({ word }) => word.is === 'action'))
    throw new FaultNotUnderstood(`${text} does not say what to do; add one of ${exampleList('action')}`)
  return Object.assign({ text, path, ...ALWAYS }, ...words.map(({ means }) => means))
}

function parseWord(written: string): { readonly word: Word; readonly means: Partial<Fault> } {
  const [name = '', ...rest] = written.split('=')
  const word = WORDS.find((each) => each.name === name)
  if (word === undefined) {
    const meant = nearest(
      name,
      WORDS.map((each) => each.name),
    )
    const near = WORDS.find((each) => each.name === meant)
    throw new FaultNotUnderstood(
      `${JSON.stringify(name)} is no fault; ${near ? `did you mean ${near.example}?` : `there are: ${exampleList('action')}; and for which requests: ${exampleList('turn')}`}`,
    )
  }
  const means = word.read(rest.join('='))
  if (means === undefined) throw new FaultNotUnderstood(`${JSON.stringify(written)} is not understood: ${word.example}`)
  return { word, means }
}

function exampleList(is: Word['is']): string {
  return WORDS.filter((word) => word.is === is)
    .map(({ example }) => example)
    .join(', ')
}

function readDelay(value: string): Partial<Fault> | undefined {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(ms|s)$/.exec(value) ?? []
  return number === undefined ? undefined : { delayMilliseconds: Number(number) * (unit === 's' ? 1000 : 1) }
}

function turn(isTurn: (n: number) => Fault['isTurn']): Word['read'] {
  return (value) => (/^[1-9]\d*$/.test(value) ? { isTurn: isTurn(Number(value)) } : undefined)
}
