import { once } from 'node:events'
import { createConnection } from 'node:net'
import { createInterface } from 'node:readline'
import { HostError } from './errors.ts'

/** QEMU's machine protocol: one JSON object a line; a greeting, then answers between events. */
type Message = {
  readonly QMP?: unknown
  readonly return?: unknown
  readonly error?: { readonly desc?: string }
}

/** QEMU serves one client at a time and answers at once, unless it hangs. */
const ANSWER_MILLISECONDS = 5_000

/**
 * Has QEMU carry out one command.
 * @param path  of its monitor socket
 * @throws HostError when nobody listens there, it refuses, or says nothing for 5 s
 */
export async function askQemu(path: string, command: string, args: object = {}): Promise<void> {
  const signal = AbortSignal.timeout(ANSWER_MILLISECONDS)
  const socket = createConnection(path)
  try {
    await once(socket, 'connect', { signal })
    const lines = createInterface({ input: socket, signal })[Symbol.asyncIterator]()
    await until(lines, ({ QMP }) => QMP !== undefined)
    for (const request of [{ execute: 'qmp_capabilities' }, { execute: command, arguments: args }]) {
      socket.write(`${JSON.stringify(request)}\n`)
      const { error } = await until(lines, (message) => 'return' in message || 'error' in message)
      if (error !== undefined)
        throw new HostError(`QEMU refuses ${request.execute}: ${error.desc ?? 'no reason given'}`)
    }
  } catch (cause) {
    if (cause instanceof HostError) throw cause
    throw new HostError(`QEMU cannot be asked for ${command} at ${path}: ${String(cause)}`, { cause })
  } finally {
    socket.destroy()
  }
}

async function until(lines: AsyncIterator<string>, isIt: (message: Message) => boolean): Promise<Message> {
  for (;;) {
    const { value, done } = await lines.next()
    if (done) throw new HostError('QEMU hung up')
    const message = JSON.parse(value) as Message
    if (isIt(message)) return message
  }
}
