import type { VendorData, VendorDataEntry } from '../context.ts'
import type { Json } from '../json.ts'

/** vendor_data.json: the operator's document itself. undefined when StaticJSON is not among the providers. */
export function vendorData({ providers, static: document }: VendorData): Json | undefined {
  return providers.includes('StaticJSON') ? (document ?? {}) : undefined
}

/**
 * vendor_data2.json: what each provider contributes, in configured order. A name that is there already is kept, but by
 * StaticJSON: its `static` takes the place of a target's, as in Nova.
 */
export function vendorData2(vendor: VendorData): Json {
  const members = new Map<string, Json>()
  for (const provider of vendor.providers) {
    for (const [name, value] of contributions[provider](vendor)) {
      if (provider === 'StaticJSON' || !members.has(name)) members.set(name, value)
    }
  }
  return members
}

const contributions = {
  StaticJSON: ({ static: document }: VendorData): readonly VendorDataEntry[] => [['static', document ?? {}]],
  DynamicJSON: ({ dynamic }: VendorData) => dynamic,
}
