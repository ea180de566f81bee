import { bodyToSend, type HttpClient } from '../http/client.ts'
import { HOP_BY_HOP } from '../http/hop.ts'
import type { Forwarder } from '../http/messages.ts'

/** The agent behind its unix socket, as a handler. Everything but this hop's own fields goes through unchanged. */
export function agentOverSocket(client: HttpClient): Forwarder {
  return async (request) =>
    client.send({
      method: request.method,
      target: request.target,
      headers: request.headers.without((name) => OWN_FIELDS.has(name)),
      body: await bodyToSend(request),
    })
}

/** Fields that describe the guest's connection or framing, which the next hop has of its own. */
const OWN_FIELDS: ReadonlySet<string> = new Set([...HOP_BY_HOP, 'content-length', 'expect'])
