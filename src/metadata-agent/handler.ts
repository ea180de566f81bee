import type { Handler, HttpReply, HttpRequest } from '../http/messages.ts'
import type { PortDirectory } from './port-directory.ts'
import { type Resolved, readOrigin, resolveInstance } from './resolve.ts'

/** The metadata API as the agent needs it: a function of this process, or nova-api-metadata over HTTP. */
export type MetadataUpstream = (caller: Resolved, request: HttpRequest) => Promise<HttpReply>

/** The metadata agent: finds who asks and hands the request to the metadata API in that instance's name. */
export function metadataAgent(directory: PortDirectory, upstream: MetadataUpstream): Handler {
  return async (request) => upstream(await resolveInstance(readOrigin(request.headers), directory), request)
}
