import type { HttpClient } from '../http/client.ts'
import type { Handler } from '../http/messages.ts'

/** Bytes of a request body we carry to the agent; the largest a guest has reason to send is a password of 1020. */
const BODY_BYTES = 1024 * 1024

/** The agent behind its unix socket, as a handler. Everything but this hop's own fields goes through unchanged. */
export function agentOverSocket(client: HttpClient): Handler {
  return async (request) =>
    client.send({
      method: request.method,
      target: request.target,
      headers: request.headers.without((name) => OWN_FIELDS.has(name)),
      body: await request.body(BODY_BYTES),
      isSized: request.headers.get('content-length') !== undefined,
    })
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
