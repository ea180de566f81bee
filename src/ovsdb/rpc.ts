import type { Duplex } from 'node:stream'
import type { Clock } from './clock.ts'
import { Disconnected, NotConnected, ProtocolError, RequestRefused } from './errors.ts'
import { createJsonStream, type JsonLimits } from './json-stream.ts'
import { whyFailed } from './tls-material.ts'
import { asWireMap } from './wire-map.ts'

/** One JSON-RPC 1.0 connection (RFC 7047, section 4). */
export interface Rpc {
  /**
   * @param take  makes the answer of the result, at the moment it arrives: what the server sends behind it is read
   *   later. What it throws ends the connection
   * @throws RequestRefused; Disconnected when it ended before the answer, NotConnected when it had ended before the request
   */
  call<T>(method: string, params: readonly unknown[], take: (result: unknown) => T): Promise<T>
  /** Ends it; calls under way fail. */
  end(reason: Error): void
  /** Why it ended. */
  readonly ended: Promise<Error>
}

export interface RpcOptions {
  readonly clock: Clock
  /** After this much silence we ask for an echo, after as much again without a byte we give up. 0: never. */
  readonly probeMilliseconds: number
  readonly limits: JsonLimits
  /** What it throws ends the connection. */
  readonly onNotification: (method: string, params: readonly unknown[]) => void
}

/** A server that sends echo requests and reads no reply must not fill our memory. */
const MAX_UNSENT_BYTES = 64 << 20

interface Pending {
  readonly method: string
  readonly settle: (result: unknown) => void
  readonly fail: (reason: Error) => void
}

export function openRpc(stream: Duplex, options: RpcOptions): Rpc {
  const pending = new Map<unknown, Pending>()
  const { promise: ended, resolve: setEnded } = Promise.withResolvers<Error>()
  const json = createJsonStream(receive, options.limits, asWireMap)
  let nextId = 0
  let isOpen = true
  let isProbed = false
  let stopProbe = () => {}

  stream.on('data', (chunk: Buffer) => {
    hear()
    guard(() => json.push(chunk))
  })
  stream.on('error', (error) => end(new Disconnected(`The connection failed: ${whyFailed(error)}`, { cause: error })))
  stream.on('close', () => end(new Disconnected('The server closed the connection')))
  stream.on('end', () => end(new Disconnected('The server closed the connection')))
  hear()

  /** Something arrived: the other side lives. */
  function hear(): void {
    isProbed = false
    scheduleProbe()
  }

  function scheduleProbe(): void {
    stopProbe()
    if (options.probeMilliseconds > 0) stopProbe = options.clock.after(options.probeMilliseconds, probe)
  }

  function probe(): void {
    if (isProbed) {
      end(new Disconnected(`No answer to a probe within ${options.probeMilliseconds} ms`))
    } else {
      isProbed = true
      scheduleProbe()
      send({ method: 'echo', params: [], id: 'echo' })
    }
  }

  function receive(message: object): void {
    if (!isOpen) return
    const { method, params, id, result, error } = message as Readonly<Record<string, unknown>>
    if (typeof method !== 'string') settle(id, result, error)
    else if (!Array.isArray(params)) throw new ProtocolError(`The server sent ${method} without parameters`)
    else if (method === 'echo') send({ result: params, error: null, id: id ?? null })
    else if (id === undefined || id === null) options.onNotification(method, params)
    else send({ result: null, error: 'unknown method', id })
  }

  function settle(id: unknown, result: unknown, error: unknown): void {
    const call = pending.get(id)
    pending.delete(id)
    if (call === undefined) return // a probe's answer
    if (error === undefined || error === null) call.settle(result)
    else call.fail(new RequestRefused(call.method, error))
  }

  function send(message: object): void {
    if (!isOpen) return
    stream.write(JSON.stringify(message))
    if (stream.writableLength > MAX_UNSENT_BYTES) end(new Disconnected('The server takes nothing of what we send'))
  }

  function guard(act: () => void): void {
    try {
      if (isOpen) act()
    } catch (error) {
      end(error instanceof Error ? error : new Error(String(error)))
    }
  }

  function end(reason: Error): void {
    if (!isOpen) return
    isOpen = false
    stopProbe()
    stream.destroy()
    const lost = new Disconnected(reason.message, { cause: reason })
    for (const call of pending.values()) call.fail(lost)
    pending.clear()
    setEnded(reason)
  }

  return {
    ended,
    end,
    call<T>(method: string, params: readonly unknown[], take: (result: unknown) => T): Promise<T> {
      const { promise, resolve, reject } = Promise.withResolvers<T>()
      if (!isOpen) return Promise.reject(new NotConnected('The connection has ended'))
      const id = nextId++
      const settleCall = (result: unknown) => {
        try {
          resolve(take(result))
        } catch (error) {
          reject(error)
          throw error
        }
      }
      pending.set(id, { method, settle: settleCall, fail: reject })
      send({ method, params, id })
      return promise
    },
  }
}
