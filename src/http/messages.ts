import type { Readable } from 'node:stream'
import type { Trace } from './trace.ts'

/**
 * A request and its reply as plain records: what handlers are written against. Sockets are outside (server.ts, client.ts).
 */

export type HeaderField = readonly [name: string, value: string]

/** Header fields in wire order with lower-case names; a name may repeat. */
export class Headers {
  readonly fields: readonly HeaderField[]

  /** @param fields  with names in lower case */
  constructor(fields: readonly HeaderField[]) {
    this.fields = fields
  }

  /** Of names in any case. */
  static of(fields: readonly HeaderField[]): Headers {
    return new Headers(fields.map(([name, value]) => [name.toLowerCase(), value]))
  }

  /** The value, or undefined when the field is absent. A repeated field reads as one, joined by commas: the form in
   *  which WSGI servers hand it to Nova, so that a doubled header fails there and here alike. */
  get(name: string): string | undefined {
    let joined: string | undefined
    for (const [field, value] of this.fields)
      if (field === name) joined = joined === undefined ? value : `${joined},${value}`
    return joined
  }

  /** The same fields without those the predicate names. */
  without(isDropped: (name: string) => boolean): Headers {
    return new Headers(this.fields.filter(([name]) => !isDropped(name)))
  }

  /** @param added  names in lower case */
  with(...added: readonly HeaderField[]): Headers {
    return new Headers([...this.fields, ...added])
  }
}

export interface HttpRequest {
  readonly method: string
  /** The request target as received: undecoded, query included. */
  readonly target: string
  readonly headers: Headers
  /** The peer's address as the socket knows it; empty for a unix socket. Never taken from a header. */
  readonly remoteAddress: string
  /** Follows the request through every hop, in logs and in the flight recorder. */
  readonly id: string
  /**
   * Reads the body.
   * @param limit  in bytes
   * @throws BodyTooLarge when more than `limit` bytes arrive
   */
  body(limit: number): Promise<Uint8Array>
  /** The body as it arrives, for who passes it on; in place of `body`. Ending it early discards the rest and leaves the
   *  connection alone. Only requests that come from a socket have it. */
  stream?(): Readable
  /** Where somebody records what becomes of requests. */
  readonly trace?: Trace
}

export interface HttpReply {
  readonly status: number
  /** In wire order. Content-Length is set by the server from the body. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: Uint8Array
}

/** The reply of another hop, passed on as it is: no field is added, a length is among them or none. */
export interface ForwardedReply {
  readonly status: number
  /** In wire order, without those of the hop's own connection. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** Small bodies whole, so that they arrive whole or not at all; others as they come. */
  readonly forwarded: Uint8Array | Readable
}

export type Answer = HttpReply | ForwardedReply

export function isForwarded(answer: Answer): answer is ForwardedReply {
  return 'forwarded' in answer
}

export type Handler = (request: HttpRequest) => Promise<HttpReply>

/** A handler that may pass on what another hop answers. */
export type Forwarder = (request: HttpRequest) => Promise<Answer>
