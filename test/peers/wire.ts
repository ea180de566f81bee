import { connect, type Socket } from 'node:net'

/** A request as it goes over the wire: nothing is added to it, checked or put right. One character is one byte. */
export interface Asked {
  readonly method: string
  readonly target: string
  readonly fields: readonly (readonly [name: string, value: string])[]
  readonly body?: Uint8Array
}

export interface Answer {
  /** Without the version: `200 OK`. */
  readonly status: string
  readonly fields: readonly (readonly [name: string, value: string])[]
  readonly body: Buffer
}

/** What a server may do with a request; `closed`: not one byte came back. */
export type Outcome = Answer | 'closed'

const PATIENCE_MILLISECONDS = 30_000

/** Asks one server, one request after the other, over a connection that is kept while the server keeps it. */
export class Wire {
  readonly #port: number
  #socket: Socket | undefined

  constructor(port: number) {
    this.#port = port
  }

  /** @throws Error when there is no whole answer in time */
  ask(asked: Asked): Promise<Outcome> {
    const { promise, resolve, reject } = Promise.withResolvers<Outcome>()
    const socket = this.#connection()
    let received = Buffer.alloc(0)
    const settle = (outcome: Outcome, isKept: boolean) => {
      socket.removeAllListeners().on('error', () => undefined)
      if (!isKept) this.close()
      resolve(outcome)
    }
    socket.setTimeout(PATIENCE_MILLISECONDS, () => {
      this.close()
      reject(new Error(`no whole answer to ${asked.method} ${asked.target} in ${PATIENCE_MILLISECONDS} ms`))
    })
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk])
      const answer = readAnswer(received, asked.method === 'HEAD')
      if (answer) settle(answer, fieldOf(answer, 'connection') !== 'close')
    })
    socket.on('error', () => undefined) // the close that follows settles it
    socket.on('close', () => settle(readAnswer(received, true) ?? 'closed', false))
    socket.write(printRequest(asked))
    return promise
  }

  close(): void {
    this.#socket?.destroy()
    this.#socket = undefined
  }

  #connection(): Socket {
    if (this.#socket?.writable !== true) this.#socket = connect(this.#port, '127.0.0.1')
    return this.#socket
  }
}

export function fieldOf({ fields }: Answer, name: string): string | undefined {
  return fields.find(([field]) => field.toLowerCase() === name)?.[1]
}

function printRequest({ method, target, fields, body = new Uint8Array() }: Asked): Buffer {
  const head = [`${method} ${target} HTTP/1.1`, ...fields.map(([name, value]) => `${name}: ${value}`), '', '']
  return Buffer.concat([Buffer.from(head.join('\r\n'), 'latin1'), body])
}

/** @returns undefined while something is missing. Without a Content-Length there is no body: neither server chunks. */
function readAnswer(received: Buffer, isHeadOnly: boolean): Answer | undefined {
  const end = received.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const [first = '', ...lines] = received.toString('latin1', 0, end).split('\r\n')
  const fields = lines.map((line): [string, string] => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon), line.slice(colon + 1).trim()]
  })
  const answer = { status: first.replace(/^HTTP\/1\.[01] /, ''), fields, body: received.subarray(end + 4) }
  const length = isHeadOnly ? 0 : Number(fieldOf(answer, 'content-length') ?? 0)
  return answer.body.length < length ? undefined : answer
}
