import { setTimeout as delay } from 'node:timers/promises'
import { type HttpClient, type OutgoingRequest, Unreachable } from '../http/client.ts'
import type { Handler, HttpReply } from '../http/messages.ts'

/** Bytes of a request body we carry to the agent; the largest a guest has reason to send is a password of 1020. */
const BODY_BYTES = 1024 * 1024

/** How long a request waits for an agent that restarts, and how often it is tried. */
const PATIENCE_MILLISECONDS = 4_000
const RETRY_MILLISECONDS = 100

/** What may be asked twice. */
const REPEATABLE: ReadonlySet<string> = new Set(['GET', 'HEAD'])

/** The agent behind its unix socket, as a handler. Everything but this hop's own fields goes through unchanged. */
export function agentOverSocket(client: HttpClient): Handler {
  return async (request) =>
    sendPatiently(client, {
      method: request.method,
      target: request.target,
      headers: request.headers.without((name) => OWN_FIELDS.has(name)),
      body: await request.body(BODY_BYTES),
      isSized: request.headers.get('content-length') !== undefined,
    })
}

async function sendPatiently(client: HttpClient, request: OutgoingRequest): Promise<HttpReply> {
  const end = performance.now() + PATIENCE_MILLISECONDS
  for (;;) {
    try {
      return await client.send(request)
    } catch (error) {
      const isWorthIt = error instanceof Unreachable && REPEATABLE.has(request.method) && performance.now() < end
      if (!isWorthIt) throw error
      await delay(RETRY_MILLISECONDS)
    }
  }
}

/** Fields that describe the guest's connection or framing, which the next hop has of its own. */
const OWN_FIELDS: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])
