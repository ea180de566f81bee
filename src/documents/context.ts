import type { Json } from './json.ts'
import type { Release } from './release.ts'

/** What a document needs beside the instance: how the service is set up, and what belongs to one request or moment. */
export interface Context {
  readonly release: Release
  /** Appended to every host name; empty text appends nothing. */
  readonly dhcpDomain: string
  /** Injected files and the admin password travel on a config drive only. */
  readonly carrier: 'http' | 'config-drive'
  /** UTC date, `YYYY-MM-DD`: versions of the future are not listed. */
  readonly today: string
  /** 512 bytes, new for each document that shows them. */
  readonly randomSeed: Uint8Array
  /** Who asked, as the proxy or the socket said it: `local-ipv4` of an instance without a fixed IPv4. */
  readonly requesterAddress: string | null
  readonly vendorData: VendorData
  /** Remembers what depends on the instance alone; without it everything is drawn anew. */
  readonly prepared?: Prepared
}

export type VendorDataProvider = 'StaticJSON' | 'DynamicJSON'

export interface VendorData {
  /** In configured order: the first to give a name keeps it. */
  readonly providers: readonly VendorDataProvider[]
  /** The operator's document; undefined shows as `{}`. */
  readonly static: Json | undefined
  /** Target name and its answer. Looked at by vendor_data2.json alone, and only with DynamicJSON among the providers. */
  readonly dynamic: readonly VendorDataEntry[]
}

export type VendorDataEntry = readonly [target: string, answer: Json]

/** Gives back what `draw` made for this key of this instance before, or calls it. */
export type Prepared = (key: string, draw: () => readonly Uint8Array[]) => readonly Uint8Array[]

/** 512 bytes, 684 characters in base64. */
export const RANDOM_SEED_BYTES = 512
