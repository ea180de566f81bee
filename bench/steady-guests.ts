import { connect, type Socket } from 'node:net'

/** Guests that ask one question after the other, in windows far shorter than wrk's second. */
export interface SteadyGuests {
  /** Resolves when the last answer is there. @returns how many there were */
  ask(milliseconds: number): Promise<number>
  close(): void
}

export interface Questions {
  readonly port: number
  readonly path: string
  /** Each comes from an address of its own, 10.9.0.1 and on. */
  readonly guests: number
  /** A new connection for each question. */
  readonly isFresh: boolean
}

export function openGuests({ port, path, guests, isFresh }: Questions): SteadyGuests {
  const head = [
    `GET ${path} HTTP/1.1`,
    'Host: 169.254.169.254',
    'User-Agent: Cloud-Init/24.1.3',
    'Accept: */*',
    `Connection: ${isFresh ? 'close' : 'keep-alive'}`,
  ]
  const question = Buffer.from(`${head.join('\r\n')}\r\n\r\n`)
  const sockets: (Socket | undefined)[] = Array.from({ length: guests })
  let until = 0
  let answered = 0
  let busy = 0
  let onIdle: (problem?: Error) => void = () => undefined

  const next = (guest: number) => {
    if (performance.now() < until) send(guest)
    else {
      busy -= 1
      if (busy === 0) onIdle()
    }
  }
  const send = (guest: number) => {
    const socket = isFresh ? open(guest) : (sockets[guest] ?? open(guest))
    sockets[guest] = socket
    socket.write(question)
  }
  const open = (guest: number): Socket => {
    const socket = connect({ port, host: '10.9.0.250', localAddress: `10.9.0.${guest + 1}`, noDelay: true })
    let missing = 0
    socket.on('data', (piece) => {
      if (missing === 0) missing = wholeLength(piece)
      missing -= piece.length
      if (missing > 0) return
      answered += 1
      if (!isFresh) next(guest)
    })
    socket.on('error', (error) => onIdle(error))
    if (isFresh) socket.on('close', () => next(guest))
    return socket
  }

  return {
    ask: async (milliseconds) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      onIdle = (problem) => (problem === undefined ? resolve() : reject(problem))
      until = performance.now() + milliseconds
      answered = 0
      busy = guests
      for (let guest = 0; guest < guests; guest += 1) send(guest)
      await promise
      return answered
    },
    close: () => {
      for (const socket of sockets) socket?.destroy()
    },
  }
}

/** Of an answer whose head comes in one piece. @throws Error when it is none of the kind wanted */
function wholeLength(piece: Buffer): number {
  const text = piece.toString('latin1')
  const end = text.indexOf('\r\n\r\n')
  const length = /^content-length: *(\d+)/im.exec(text)?.[1]
  if (!text.startsWith('HTTP/1.1 200 ') || end === -1 || length === undefined)
    throw new Error(`an answer that is none: ${text.slice(0, 200)}`)
  return end + 4 + Number(length)
}
