import { createHmac } from 'node:crypto'
import { bodyToSend, type HttpClient } from '../http/client.ts'
import { FORWARDED_BY_GUEST, forwardedMark } from '../http/forwarded.ts'
import type { Answer, HeaderField, Headers } from '../http/messages.ts'
import type { MetadataUpstream } from './handler.ts'

/** What a guest may say to the metadata API, and the proxy's mark. Nothing else passes: what is not known cannot be
 *  forged. */
const GUEST_FIELDS: ReadonlySet<string> = new Set([
  'accept',
  'content-type',
  'user-agent',
  'x-aws-ec2-metadata-token',
  'x-aws-ec2-metadata-token-ttl-seconds',
  FORWARDED_BY_GUEST,
])

/**
 * The metadata API on the far side of HTTP, asked in the signed way that nova-api-metadata expects of
 * neutron-metadata-agent.
 *
 * @param secret  `metadata_proxy_shared_secret`, equal on both sides
 */
export function signedUpstream(client: HttpClient, secret: string): MetadataUpstream<Answer> {
  return async (caller, request) => {
    const headers = request.headers
      .without((name) => !GUEST_FIELDS.has(name))
      .with(
        ['x-forwarded-for', caller.address],
        ['x-instance-id', caller.instanceId],
        ['x-tenant-id', caller.projectId],
        ['x-instance-id-signature', signature(caller.instanceId, secret)],
        ['x-request-id', request.id],
        ...listMark(request.headers),
      )
    return client.send({
      method: request.method,
      target: request.target,
      headers,
      body: await bodyToSend(request),
    })
  }
}

/** A haproxy before us does not mark; it leaves the guest's X-Forwarded-For and adds its own behind. */
function listMark(headers: Headers): readonly HeaderField[] {
  return headers.get('x-forwarded-for')?.includes(',') ? forwardedMark(headers) : []
}

/** Lower-case hexadecimal HMAC-SHA256 of the instance id under the shared secret, both as UTF-8. */
export function signature(instanceId: string, secret: string): string {
  return createHmac('sha256', secret).update(instanceId).digest('hex')
}
