import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream'
import type { ForwardedReply, HttpReply } from './messages.ts'

/** Content-Length goes first, as eventlet writes it, unless the reply places it itself. */
export function writeReply(reply: HttpReply, incoming: IncomingMessage, outgoing: ServerResponse): void {
  const placed = reply.headers.some(([name]) => name.toLowerCase() === 'content-length')
  const fields: string[] = placed ? [] : ['Content-Length', String(reply.body.length)]
  for (const [name, value] of reply.headers) fields.push(name, value)
  writeHead(reply.status, fields, incoming, outgoing)
  // As text, head and body leave in one piece and one system call. Latin-1 is one character a byte, whatever the bytes.
  outgoing.end(latin1(reply.body), 'latin1')
}

/** An answer of another hop. One that breaks off there breaks off here. */
export function passOn(
  { status, headers, forwarded }: ForwardedReply,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): void {
  writeHead(status, headers.flat(), incoming, outgoing)
  if (forwarded instanceof Uint8Array) {
    outgoing.end(latin1(forwarded), 'latin1')
    return
  }
  const { socket } = incoming
  // An answer that still waits for an earlier one on its connection never hears of that connection's end.
  const cut = () => {
    forwarded.destroy()
  }
  socket.once('close', cut)
  pipeline(forwarded, outgoing, () => socket.off('close', cut))
  if (socket.destroyed) cut()
}

function writeHead(
  status: number,
  fields: readonly string[],
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): void {
  // HTTP/1.1 connections persist by themselves; neither eventlet nor haproxy spends two header lines on saying so.
  if (outgoing.shouldKeepAlive && incoming.httpVersionMinor > 0) outgoing.removeHeader('connection')
  outgoing.writeHead(status, fields as string[])
}

function latin1(body: Uint8Array): string {
  const bytes = body instanceof Buffer ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  return bytes.toString('latin1')
}
