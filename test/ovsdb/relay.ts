import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { createJsonStream } from '../../src/ovsdb/json-stream.ts'

export type Message = Readonly<Record<string, unknown>>

/** Stands between client and server, as an older server, a bad network, or a listener would. */
export interface Relay {
  readonly remote: string
  /** Every message of either side since the last look, oldest first. */
  take(): readonly Message[]
  /** Answers these methods as a server that does not know them. */
  refuse(...methods: readonly string[]): void
  /** When a message of the server is of this kind, the connection ends in its place, once. */
  cutAt(isTheOne: (message: Message) => boolean): void
  /** While closed, connections end at once. */
  open(isOpen: boolean): void
  close(): Promise<void>
}

export async function openRelay(directory: string, serverSocket: string): Promise<Relay> {
  const path = join(directory, `relay-${Math.random().toString(36).slice(2)}.sock`)
  const sockets = new Set<Socket>()
  const refused = new Set<string>()
  let messages: Message[] = []
  let isOpen = true
  let cut: (message: Message) => boolean = () => false

  const relay = createServer((client) => {
    const server = connect(serverSocket)
    const end = () => [client, server].forEach((socket) => void socket.destroy())
    for (const socket of [client, server]) {
      sockets.add(socket)
      socket.on('error', end).on('close', end)
    }
    if (!isOpen) end()
    forward(client, (message) => {
      if (refused.has(String(message['method'])))
        client.write(JSON.stringify({ id: message['id'], error: 'unknown method' }))
      else server.write(JSON.stringify(message))
    })
    forward(server, (message) => {
      if (!cut(message)) return client.write(JSON.stringify(message))
      cut = () => false
      return end()
    })
  })

  function forward(from: Socket, pass: (message: Message) => void): void {
    const stream = createJsonStream((message) => {
      messages.push(message as Message)
      pass(message as Message)
    })
    from.on('data', (chunk) => stream.push(chunk))
  }

  relay.listen(path)
  await once(relay, 'listening')
  return {
    remote: `unix:${path}`,
    take() {
      const taken = messages
      messages = []
      return taken
    },
    refuse: (...methods) => methods.forEach((method) => void refused.add(method)),
    cutAt(isTheOne) {
      cut = isTheOne
    },
    open(open) {
      isOpen = open
      if (!isOpen) for (const socket of sockets) socket.destroy()
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      relay.close()
      await once(relay, 'close')
    },
  }
}
