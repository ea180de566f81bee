import { type Json, writeJson } from '../../documents/json.ts'
import type { Instance } from '../../inventory/records/instance.ts'

/** What Nova tells a target of dynamic vendor data: the host name without the domain, user data in base64 as stored. */
export function vendorDataRequest(instance: Instance): string {
  return writeJson({
    'project-id': instance.projectId,
    'instance-id': instance.id,
    'image-id': instance.imageRef,
    'user-data': instance.userData,
    hostname: instance.hostname,
    metadata: new Map<string, Json>(instance.properties),
    'boot-roles': instance.bootRoles.join(','),
  })
}

export const VENDOR_DATA_HEADERS = {
  'Content-Type': 'application/json',
  Accept: 'application/json',
  'User-Agent': 'openstack-nova-vendordata',
} as const
