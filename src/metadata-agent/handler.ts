import { Readable } from 'node:stream'
import { type Answer, type HttpReply, type HttpRequest, isForwarded } from '../http/messages.ts'
import { beginStage } from '../http/trace.ts'
import type { PortDirectory } from './port-directory.ts'
import type { RateLimit } from './rate-limit.ts'
import { type Resolved, readOrigin, resolveInstance } from './resolve.ts'

/** The metadata API as the agent needs it: a function of this process, or nova-api-metadata over HTTP. */
export type MetadataUpstream<A extends Answer = HttpReply> = (caller: Resolved, request: HttpRequest) => Promise<A>

/**
 * The metadata agent: finds who asks and hands the request to the metadata API in that instance's name.
 *
 * @param limit  asked before the instance is looked for, which may cost more than the answer, and told what was found
 */
export function metadataAgent<A extends Answer>(
  directory: PortDirectory,
  upstream: MetadataUpstream<A>,
  limit?: RateLimit,
): (request: HttpRequest) => Promise<A> {
  return async (request) => {
    const origin = readOrigin(request.headers)
    const counted = await limit?.(origin)
    const { trace } = request
    if (trace !== undefined) trace.from = origin.address
    beginStage(trace, 'resolve')
    const caller = await resolveInstance(origin, directory)
    if (trace !== undefined) trace.instance = caller.instanceId
    await counted?.(caller.portId)
    beginStage(trace, 'answer')
    const reply = await upstream(caller, request)
    if (reply.status !== 404 || !isRepeatable(request)) return reply
    // The metadata API may not know the instance any more, and its address be another's by now.
    const now = await resolveInstance(origin, directory, 'new').catch(() => caller)
    if (now.instanceId === caller.instanceId) return reply
    discard(reply)
    return upstream(now, request)
  }
}

/** Whether the request can be sent once more: nothing of it is used up. */
function isRepeatable({ method, headers }: HttpRequest): boolean {
  return (
    method === 'GET' && headers.get('content-length') === undefined && headers.get('transfer-encoding') === undefined
  )
}

function discard(reply: Answer): void {
  if (isForwarded(reply) && reply.forwarded instanceof Readable) reply.forwarded.destroy()
}
