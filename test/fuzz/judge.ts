import { GUESTS, type HostileChain, NETWORK } from '../support/hostile-chain.ts'
import { connectTo, type Peer } from '../support/raw-http.ts'

const { own } = GUESTS
const STAMP = `X-Neutron-Network-ID: ${NETWORK}\r\nX-Forwarded-For: ${own.address}\r\n`

/** Where requests are sent, and whether it is for the receiver to say who asks. */
export const WAYS = {
  proxy: { peer: (chain: HostileChain): Peer => chain.proxyPort, stamp: '', isTold: true },
  agent: { peer: (chain: HostileChain): Peer => chain.agentSocket, stamp: STAMP, isTold: false },
} as const

export type Way = keyof typeof WAYS

/** Longer than all of the chain's own patience. */
const PATIENCE_MILLISECONDS = 5_000

/** Sends one text, in as many pieces as told, and looks at what comes of it.
 *  @returns what is wrong; undefined when nothing is */
export async function judge(chain: HostileChain, way: Way, text: string, pieces = 1): Promise<string | undefined> {
  const { peer, stamp, isTold } = WAYS[way]
  chain.told.length = 0
  const answer = await sent(peer(chain), text.replaceAll('@', stamp), pieces)
  if (answer === undefined) return 'the connection stays open'
  const statuses = Array.from(answer.matchAll(/(?:^|\n|[^\r\n])HTTP\/1\.1 (\d{3})/g), ([, status]) => Number(status))
  if (answer !== '' && !answer.startsWith('HTTP/1.1 ')) return `not an answer: ${JSON.stringify(answer.slice(0, 80))}`
  const bad = statuses.find((status) => status >= 500)
  if (bad !== undefined) return `answered with ${bad}`
  if (!isTold) return undefined
  const stranger = chain.told.find(
    ({ headers }) => headers['x-instance-id'] !== own.instance || headers['x-forwarded-for'] !== own.address,
  )
  return stranger === undefined ? undefined : `taken for ${stranger.headers['x-instance-id']}`
}

/** Everything that came back; undefined when the other side does not hang up after we have. */
function sent(peer: Peer, text: string, pieces: number): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  const socket = connectTo(peer, typeof peer === 'number' ? own.address : undefined)
  let got = ''
  const timer = setTimeout(() => {
    resolve(undefined)
    socket.destroy()
  }, PATIENCE_MILLISECONDS)
  socket.setEncoding('latin1').on('data', (piece) => (got += piece))
  socket
    .on('error', () => undefined)
    .once('close', () => {
      clearTimeout(timer)
      resolve(got)
    })
  const bytes = Buffer.from(text, 'latin1')
  const size = Math.max(1, Math.ceil(bytes.length / pieces))
  const write = (from: number) => {
    if (from >= bytes.length) socket.end()
    else socket.write(bytes.subarray(from, from + size), () => setImmediate(write, from + size))
  }
  write(0)
  return promise
}
