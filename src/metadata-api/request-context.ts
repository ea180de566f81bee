import type { Context, Prepared, VendorData } from '../documents/context.ts'
import type { Release } from '../documents/release.ts'

interface Service {
  readonly options: { readonly release: Release; readonly dhcpDomain: string }
  readonly today: () => string
  readonly randomSeed: () => Uint8Array
}

/**
 * What a document needs beside the instance, for one request. Most documents show neither date nor seed: clock and generator are
 * asked only by those that do. A class, since an object with getters of its own takes ten times as long to make.
 */
export class RequestContext implements Context {
  readonly carrier = 'http'
  readonly release: Release
  readonly dhcpDomain: string
  readonly requesterAddress: string | null
  readonly vendorData: VendorData
  readonly prepared: Prepared
  readonly #service: Service

  constructor(service: Service, requesterAddress: string | null, vendorData: VendorData, prepared: Prepared) {
    this.#service = service
    this.release = service.options.release
    this.dhcpDomain = service.options.dhcpDomain
    this.requesterAddress = requesterAddress
    this.vendorData = vendorData
    this.prepared = prepared
  }

  get today(): string {
    return this.#service.today()
  }

  get randomSeed(): Uint8Array {
    return this.#service.randomSeed()
  }
}
