import { randomUUID } from 'node:crypto'
import type { Answer } from '../http/messages.ts'
import { Headers } from '../http/messages.ts'
import type { IpAddress } from '../inventory/records/address.ts'
import type { InstanceId, ProjectId } from '../inventory/records/ids.ts'
import type { Log } from '../observe/log.ts'
import type { MetadataUpstream } from './handler.ts'

/**
 * Asks the metadata API once in the name of an instance that does not exist: an API with our secret says 404, one with
 * another 403. So an operator hears at start that no guest will get anything. Says it in the log, never fails.
 */
export async function probeSecret(upstream: MetadataUpstream<Answer>, log: Log): Promise<void> {
  const caller = {
    instanceId: randomUUID() as string as InstanceId,
    projectId: randomUUID().replaceAll('-', '') as ProjectId,
    address: '127.0.0.1' as IpAddress,
  }
  const request = {
    method: 'GET',
    target: '/openstack/latest/meta_data.json',
    headers: new Headers([]),
    remoteAddress: '',
    id: `req-${randomUUID()}`,
    body: async () => new Uint8Array(),
  }
  try {
    const { status } = await upstream(caller, request)
    if (status === 403)
      log.error(
        { request: request.id },
        'the metadata API refuses our signature: metadata_proxy_shared_secret differs there ([neutron] in nova.conf)',
      )
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error)
    log.warn({ cause }, 'the metadata API cannot be asked; guests get 503 until it can')
  }
}
