import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { BodyTooLarge, ClientGone } from './errors.ts'

/** @throws BodyTooLarge, ClientGone */
export async function readBody(incoming: IncomingMessage, limit: number): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of streamBody(incoming) as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > limit) throw new BodyTooLarge(limit)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/**
 * The body as a stream of its own. Whoever passes a body on may end it early, when the answer comes before all of it was
 * sent; the request's own stream would take the connection with it, and the answer.
 */
export function streamBody(incoming: IncomingMessage): Readable {
  const take = (chunk: Buffer) => {
    if (!body.push(chunk)) incoming.pause()
  }
  const end = () => {
    body.push(null)
  }
  const breakOff = () => {
    if (!incoming.complete) body.destroy(new ClientGone())
  }
  const body = new Readable({
    // Of a stream of bytes that has ended before it is read, undici tells the length, whether the request did or not.
    objectMode: true,
    highWaterMark: 1,
    read: () => {
      incoming.resume()
    },
    destroy: (error, done) => {
      incoming.off('data', take).off('end', end).off('close', breakOff)
      incoming.resume()
      done(error)
    },
  })
  incoming.on('data', take).once('end', end).once('close', breakOff).pause()
  // Its reader may be gone by then.
  body.on('error', () => undefined)
  return body
}
