import type { Instance } from '../../inventory/records/instance.ts'
import type { Context } from '../context.ts'
import { type ContentType, HTML, JSON_TYPE, TEXT } from '../document.ts'
import { type Json, writeJson } from '../json.ts'
import { userData } from '../user-data.ts'
import { metaData } from './meta-data.ts'
import { networkData } from './network-data.ts'
import { vendorData, vendorData2 } from './vendor-data.ts'
import type { OpenstackVersion } from './versions.ts'

type FileName =
  | 'meta_data.json'
  | 'user_data'
  | 'password'
  | 'vendor_data.json'
  | 'network_data.json'
  | 'vendor_data2.json'

/** One file of a version. */
export interface OpenstackFile {
  readonly name: FileName
  readonly servedSince: OpenstackVersion
  /** Later than it is served, for one file. */
  readonly listedSince: OpenstackVersion
  /** Absent: always. */
  readonly isListed?: (instance: Instance) => boolean
  readonly contentType: ContentType
  /** undefined: this instance has no such file, whatever the listing says. */
  readonly draw: (instance: Instance, version: OpenstackVersion, context: Context) => Uint8Array | undefined
}

/** In the order of the listing, which a config drive keeps. */
const FILES: readonly OpenstackFile[] = [
  {
    name: 'meta_data.json',
    servedSince: '2012-08-10',
    listedSince: '2012-08-10',
    contentType: JSON_TYPE,
    draw: metaData,
  },
  {
    name: 'user_data',
    servedSince: '2012-08-10',
    listedSince: '2012-08-10',
    isListed: (instance) => instance.userData !== null,
    contentType: TEXT,
    draw: userData,
  },
  {
    name: 'password',
    servedSince: '2013-04-04',
    listedSince: '2013-04-04',
    contentType: HTML,
    draw: ({ password }) => Buffer.from(password),
  },
  {
    name: 'vendor_data.json',
    servedSince: '2013-10-17',
    listedSince: '2013-10-17',
    contentType: JSON_TYPE,
    draw: (_, __, context) => toBytes(vendorData(context.vendorData)),
  },
  {
    name: 'network_data.json',
    servedSince: '2012-08-10',
    listedSince: '2015-10-15',
    contentType: TEXT,
    draw: preparedNetworkData,
  },
  {
    name: 'vendor_data2.json',
    servedSince: '2016-10-06',
    listedSince: '2016-10-06',
    contentType: JSON_TYPE,
    draw: (_, __, context) => toBytes(vendorData2(context.vendorData)),
  },
]

export function openstackFile(name: string, version: OpenstackVersion): OpenstackFile | undefined {
  return FILES.find((file) => file.name === name && file.servedSince <= version)
}

/** What a version's listing names. A config drive holds these but `password`. */
export function listedFiles(version: OpenstackVersion, instance: Instance): readonly OpenstackFile[] {
  return FILES.filter((file) => file.listedSince <= version && (file.isListed?.(instance) ?? true))
}

/** The same in every version. */
function preparedNetworkData(instance: Instance, _: OpenstackVersion, context: Context): Uint8Array | undefined {
  const draw = () => [toBytes(networkData(instance, context.release)) ?? new Uint8Array()]
  return (context.prepared?.('network_data.json', draw) ?? draw())[0]
}

function toBytes(value: Json | undefined): Uint8Array | undefined {
  return value === undefined ? undefined : Buffer.from(writeJson(value))
}
