import { chmodSync, chownSync, statSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { dirname } from 'node:path'
import { type IpAddress, isLinkLocal, parseIpAddress } from '../../inventory/records/address.ts'
import { errorCode, HostError } from '../errors.ts'
import { type Heard, heardIn } from '../heard.ts'
import { clearOwnSocket } from '../own-socket.ts'

/**
 * Who has which link-local address, told to those who may not enter namespaces: one question and one answer a connection,
 * each a JSON object and a line. A unix socket of its own beside the keeper's: whoever asks here reads what guests send,
 * and is to get nothing else of the keeper's.
 */

interface Question {
  readonly netns: string
  readonly address: IpAddress
}

/** `heard: null` where there is no such namespace; `code` of the system error, when it was one. */
type Answer = { readonly heard: readonly Heard[] | null } | { readonly error: string; readonly code?: string }

/** @param keeper  its unix socket */
export function neighboursSocket(keeper: string): string {
  return `${keeper}.neighbours`
}

const BACKLOG = 128
const CONNECTIONS = 256
const QUESTION_BYTES = 512
const PATIENCE_MILLISECONDS = 2_000

/** Resolves when it listens. */
export async function serveNeighbours(keeper: string): Promise<Server> {
  const path = neighboursSocket(keeper)
  await clearOwnSocket(path, 'socket keeper')
  const server = createServer(answer)
  server.maxConnections = CONNECTIONS
  const listening = Promise.withResolvers<void>()
  server.once('error', listening.reject).listen({ path, backlog: BACKLOG }, listening.resolve)
  await listening.promise
  openToGroup(path)
  return server
}

/** Who shares the state directory may ask: the metadata agent has a user of its own. */
function openToGroup(path: string): void {
  const { gid } = statSync(dirname(dirname(path)))
  try {
    chownSync(path, -1, gid)
    chmodSync(path, 0o660)
  } catch {
    // A group that is not ours to give (in a user namespace, for one): then it is for our own user alone.
  }
}

function answer(from: Socket): void {
  let said = ''
  from.on('error', () => undefined)
  from.setTimeout(PATIENCE_MILLISECONDS, () => from.destroy())
  from.setEncoding('latin1').on('data', (chunk) => {
    said += chunk
    if (said.length > QUESTION_BYTES) from.destroy()
    else if (said.endsWith('\n')) from.end(`${JSON.stringify(answerTo(said))}\n`)
  })
}

function answerTo(line: string): Answer {
  try {
    const { netns, address } = questionOf(line)
    return { heard: heardIn(netns, address) ?? null }
  } catch (error) {
    const code = errorCode(error)
    return { error: error instanceof Error ? error.message : String(error), ...(code === undefined ? {} : { code }) }
  }
}

/** What can be the name of a namespace, and nothing that leads elsewhere. */
const NETNS = /^[0-9A-Za-z_-]{1,255}$/

function questionOf(line: string): Question {
  const said = JSON.parse(line) as { readonly [K in keyof Question]?: unknown } | null
  const address = typeof said?.address === 'string' ? parseIpAddress(said.address) : undefined
  if (typeof said?.netns !== 'string' || !NETNS.test(said.netns)) throw new Error('this is no name of a namespace')
  if (address === undefined || !address.includes(':') || !isLinkLocal(address))
    throw new Error('this is no link-local IPv6 address')
  return { netns: said.netns, address }
}

/**
 * `heardIn`, asked of a keeper.
 * @throws Error with `code`: ENOENT or ECONNREFUSED when no keeper runs, EACCES when this user may not ask it
 */
export async function askHeardIn(
  path: string,
  netns: string,
  address: IpAddress,
): Promise<readonly Heard[] | undefined> {
  const socket = connect(path).setEncoding('utf8')
  socket.setTimeout(PATIENCE_MILLISECONDS, () =>
    socket.destroy(new HostError(`${path}: the socket keeper does not answer`)),
  )
  const question: Question = { netns, address }
  socket.write(`${JSON.stringify(question)}\n`)
  let said = ''
  for await (const chunk of socket) said += chunk
  const answered = JSON.parse(said) as Answer
  if ('error' in answered) throw Object.assign(new HostError(answered.error), { code: answered.code })
  return answered.heard ?? undefined
}
