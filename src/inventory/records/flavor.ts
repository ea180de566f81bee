import type { FlavorId } from './ids.ts'

/** The size of a server. Guests read only its name (`instance-type`). */
export interface Flavor {
  readonly id: FlavorId
  readonly name: string
  readonly vcpus: number
  readonly ramMib: number
  readonly diskGib: number
  readonly ephemeralGib: number
  readonly swapMib: number
}
