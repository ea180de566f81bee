import { ec2Id } from '../assemble.ts'
import type { Properties } from '../records/properties.ts'
import type { Noun, Records } from '../records/records.ts'

/** A record in the spelling of the OpenStack APIs: plain data for JSON. Bytes (user data, files) are base64 text. */
export type Wire = Readonly<Record<string, unknown>>

/** Where the wire's name of a property is not the property in snake_case. */
const spellings: { readonly [N in Noun]?: { readonly [P in keyof Records[N]]?: string } } = {
  flavor: { ramMib: 'ram', diskGib: 'disk', ephemeralGib: 'ephemeral', swapMib: 'swap' },
  image: { ec2Number: 'ec2_image_id' },
  network: { external: 'router:external' },
  router: { externalGateway: 'external_gateway_info' },
  port: { securityGroupIds: 'security_groups', vnicType: 'binding:vnic_type', vifType: 'binding:vif_type' },
  floating_ip: { networkId: 'floating_network_id', address: 'floating_ip_address' },
  server: {
    properties: 'metadata',
    portIds: 'ports',
    ec2Number: 'ec2_instance_id',
    adminPassword: 'admin_pass',
    files: 'personality',
    blockDevices: 'block_device_mapping_v2',
  },
}

/** Values that the wire writes in another form. */
const forms: { readonly [N in Noun]?: { readonly [P in keyof Records[N]]?: (value: Records[N][P]) => unknown } } = {
  image: { ec2Number: (number) => ec2Id('ami', number), properties: toObject },
  server: { ec2Number: (number) => ec2Id('i', number), properties: toObject },
}

/** The record as `firstboot show --json` prints it. */
export function toWire<N extends Noun>(noun: N, record: Records[N]): Wire {
  const names = (spellings[noun] ?? {}) as Readonly<Record<string, string>>
  const special = (forms[noun] ?? {}) as Readonly<Record<string, (value: unknown) => unknown>>
  return Object.fromEntries(
    Object.entries(record).map(([property, value]) => [
      names[property] ?? snakeCase(property),
      special[property]?.(value) ?? nested(value),
    ]),
  )
}

function nested(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(nested)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([property, item]) => [
      property === 'volumeId' ? 'uuid' : snakeCase(property),
      nested(item),
    ]),
  )
}

function toObject(properties: Properties): Wire {
  return Object.fromEntries(properties)
}

function snakeCase(property: string): string {
  return property.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
