import { type HeaderField, Headers, type HttpReply, type HttpRequest } from '../http/messages.ts'
import type { Server } from '../inventory/records/server.ts'
import type { MetadataApi } from '../metadata-api/metadata-api.ts'

/**
 * Reads as a guest would, without any network. A guest of a project with session tokens fetches one first; in all others
 * that is a 404 which nobody sees.
 */
export async function readAs(service: MetadataApi, server: Server): Promise<(path: string) => Promise<HttpReply>> {
  const caller = { instanceId: server.id, projectId: server.projectId, requesterAddress: null }
  const ask = (method: string, target: string, field?: HeaderField) =>
    service.answer(caller, requestOf(method, target, field === undefined ? [] : [field]))
  const token = await ask('PUT', '/latest/api/token', ['x-aws-ec2-metadata-token-ttl-seconds', '60'])
  const shown: HeaderField = ['x-aws-ec2-metadata-token', Buffer.from(token.body).toString()]
  return (path) => ask('GET', path, token.status === 200 ? shown : undefined)
}

function requestOf(method: string, target: string, fields: readonly HeaderField[]): HttpRequest {
  return {
    method,
    target,
    headers: new Headers(fields),
    remoteAddress: '',
    id: 'cli',
    body: async () => new Uint8Array(),
  }
}
