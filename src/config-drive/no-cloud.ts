import { type Json, writeJson } from '../documents/json.ts'
import { vendorData } from '../documents/openstack/vendor-data.ts'
import { userData } from '../documents/user-data.ts'
import type { Instance } from '../inventory/records/instance.ts'
import type { DriveFile } from './image.ts'
import type { DriveContext } from './layout.ts'
import { type NetworkConfigVersion, networkConfig } from './network-config.ts'

/** What cloud-init's DataSourceNoCloud looks for. */
export const NOCLOUD_LABEL = 'cidata'

/**
 * The same answers in the form of cloud-init's NoCloud: `meta-data`, `user-data`, `network-config` and, when there is
 * any that cloud-init would take, `vendor-data`. JSON throughout, which is YAML too. What NoCloud has no place for
 * (injected files, the admin password, devices, the random seed) is not on it.
 */
export function noCloudFiles(
  instance: Instance,
  context: Pick<DriveContext, 'dhcpDomain' | 'vendorData'>,
  version: NetworkConfigVersion,
): readonly DriveFile[] {
  const vendor = cloudInitPart(vendorData(context.vendorData))
  const network = networkConfig(instance, version)
  return [
    file('meta-data', `${writeJson(metaData(instance, context.dhcpDomain))}\n`),
    // Without the file there is no data source; empty is fine.
    { path: 'user-data', content: userData(instance) ?? new Uint8Array() },
    ...(network === undefined ? [] : [file('network-config', `${writeJson(network)}\n`)]),
    ...(vendor === undefined ? [] : [file('vendor-data', vendor)]),
  ]
}

function metaData(instance: Instance, dhcpDomain: string): Json {
  const { id, hostname, keypair, keyData, availabilityZone, properties } = instance
  const key = keypair?.type === 'ssh' ? keypair.data : keyData
  return {
    'instance-id': id,
    'local-hostname': dhcpDomain === '' ? hostname : `${hostname}.${dhcpDomain}`,
    'public-keys': key === null ? undefined : [key],
    'availability-zone': availabilityZone ?? undefined,
    meta: properties.length === 0 ? undefined : new Map(properties),
  }
}

/** Of OpenStack's vendor data cloud-init runs a text, a list of texts, or the member `cloud-init` of a mapping. */
function cloudInitPart(document: Json | undefined): string | undefined {
  if (typeof document === 'string') return document
  if (isList(document))
    return `#cloud-config-archive\n${writeJson(document.filter((part) => typeof part === 'string').map((content) => ({ content })))}\n`
  return document instanceof Map ? cloudInitPart(document.get('cloud-init') as Json | undefined) : undefined
}

function isList(document: Json | undefined): document is readonly Json[] {
  return Array.isArray(document)
}

function file(path: string, text: string): DriveFile {
  return { path, content: Buffer.from(text) }
}
