import { createServer as createHttpServer, type RequestListener } from 'node:http'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { eventually } from './eventually.ts'

/** Servers and clients that speak whatever a test writes, byte for byte. */

export interface Listening {
  readonly port: number
  readonly origin: string
  /** Cuts every connection. */
  close(): Promise<void>
}

/** @param onConnection  is given each connection */
export function listenRaw(onConnection: (socket: Socket) => void, port = 0): Promise<Listening> {
  return listening(createServer(onConnection), port)
}

export function listenHttp(listener: RequestListener, port = 0): Promise<Listening> {
  return listening(createHttpServer(listener), port)
}

async function listening(server: Server, wanted: number): Promise<Listening> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined).once('close', () => sockets.delete(socket))
  })
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject).listen(wanted, '127.0.0.1', resolve)
  await promise
  const { port } = server.address() as AddressInfo
  return {
    port,
    origin: `http://127.0.0.1:${port}`,
    close: () => {
      const { promise: closed, resolve: done } = Promise.withResolvers<void>()
      server.close(() => done())
      for (const socket of sockets) socket.destroy()
      return closed
    },
  }
}

/** Where a server of ours or another's listens. */
export type Peer = number | string

export interface ExchangeOptions {
  /** The address to come from. */
  readonly from?: string
  /** Hang up after the first head that came back. */
  readonly isFirstOnly?: boolean
}

/** Sends bytes and gives everything that came back, one character a byte, when the connection ends. */
export function exchangeRaw(peer: Peer, bytes: string | Buffer, options: ExchangeOptions = {}): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  const socket = connectTo(peer, options.from)
  let got = ''
  socket.setEncoding('latin1').on('data', (text) => {
    got += text
    if (options.isFirstOnly && got.includes('\r\n\r\n')) socket.destroy()
  })
  socket.on('error', () => undefined).once('close', () => resolve(got))
  socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  return promise
}

export function connectTo(peer: Peer, from?: string): Socket {
  if (typeof peer === 'string') return connect(peer)
  return connect({ port: peer, host: '127.0.0.1', ...(from === undefined ? {} : { localAddress: from }) })
}

/** Closes every connection after its first request, of which it writes down everything.
 *  @param answer  as it is to be on the wire */
export async function recordingServer(answer: string): Promise<Listening & { readonly received: () => string }> {
  let received = ''
  const listening = await listenRaw((socket) => {
    socket.setEncoding('latin1').on('data', (text: string) => {
      received += text
      if (isWhole(received)) socket.end(Buffer.from(answer, 'latin1'))
    })
  })
  return { ...listening, received: () => received }
}

/** Whether one request, head and body, is there. */
function isWhole(text: string): boolean {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return false
  const head = text.slice(0, end).toLowerCase()
  const length = /\r\ncontent-length: (\d+)/.exec(head)?.[1]
  if (head.includes('\r\ntransfer-encoding: chunked')) return text.endsWith('0\r\n\r\n')
  return length === undefined || text.length - end - 4 >= Number(length)
}

/** Resolves when nothing has changed `value` for a while: a stream that stopped. */
export async function standstill(value: () => number, milliseconds = 300): Promise<number> {
  let last = value()
  let since = performance.now()
  await eventually('it stands still', () => {
    if (value() !== last) {
      last = value()
      since = performance.now()
    }
    return performance.now() - since > milliseconds
  })
  return last
}
