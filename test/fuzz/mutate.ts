import type { Random } from '../peers/random.ts'
import { SEEDS } from './seeds.ts'

/** Pieces that parsers have stumbled over. */
const TOKENS = [
  ...[
    '\r',
    '\n',
    '\r\n',
    '\r\n\r\n',
    '\n\n',
    '\0',
    '\t',
    ' ',
    '\x0b',
    '\x7f',
    '\xa0',
    '\xff',
    ':',
    ';',
    ',',
    '"',
    '%00',
    '%',
    '#',
    '?',
  ],
  ...['Content-Length: 0\r\n', 'Content-Length: 5\r\n', 'Content-Length: -1\r\n', 'Content-Length: 4294967297\r\n'],
  ...[
    'Transfer-Encoding: chunked\r\n',
    'Transfer-Encoding:\x0bchunked\r\n',
    'Transfer-Encoding: identity\r\n',
    'TE: trailers\r\n',
  ],
  ...[
    'Connection: close\r\n',
    'Connection: keep-alive, x-forwarded-for\r\n',
    'Upgrade: websocket\r\n',
    'Expect: 100-continue\r\n',
  ],
  ...['X-Forwarded-For: 127.0.0.12\r\n', 'X-Forwarded-For:\r\n', 'X-Neutron-Network-ID:\r\n', 'X-Instance-ID: x\r\n'],
  ...[
    'HTTP/1.1',
    'HTTP/1.0',
    'HTTP/0.9',
    'HTTP/9.9',
    'GET ',
    'POST ',
    'FOO ',
    '0\r\n\r\n',
    'ffffffff\r\n',
    '1;a=b\r\nx\r\n',
  ],
  'GET /inner HTTP/1.1\r\n\r\n',
  'A'.repeat(9_000),
  'a:\r\n'.repeat(300),
]

type Mutation = (text: string, random: Random) => string

const place = (text: string, random: Random) => random.integer(0, text.length)

function inserted(text: string, at: number, piece: string, replaced = 0): string {
  return text.slice(0, at) + piece + text.slice(at + replaced)
}

const MUTATIONS: readonly Mutation[] = [
  (text, random) => inserted(text, place(text, random), random.pick(TOKENS)),
  (text, random) => inserted(text, place(text, random), String.fromCharCode(random.integer(0, 255)), 1),
  (text, random) => inserted(text, place(text, random), '', random.integer(1, 40)),
  (text, random) => {
    const lines = text.split('\r\n')
    return lines.toSpliced(random.integer(0, lines.length), 0, random.pick(lines)).join('\r\n')
  },
  (text, random) => {
    const lines = text.split('\r\n')
    return lines.toSpliced(random.integer(1, lines.length), 0, random.pick(TOKENS).trimEnd()).join('\r\n')
  },
  (text, random) => {
    const other = random.pick(SEEDS)
    return text.slice(0, place(text, random)) + other.slice(place(other, random))
  },
  (text, random) => text.slice(0, place(text, random)),
  (text) => text.replaceAll('\r\n', '\n'),
  (text, random) => text.repeat(random.integer(1, 3)),
  (text, random) => Array.from(text, (letter) => (random.once(50) ? letter.toUpperCase() : letter)).join(''),
]

/** One of the seeds, bent a few times. */
export function bent(random: Random): string {
  return random
    .list(1, 4, () => random.pick(MUTATIONS))
    .reduce((text, mutate) => mutate(text, random), random.pick(SEEDS))
}
