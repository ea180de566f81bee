import { randomBytes, randomInt, randomUUID } from 'node:crypto'
import type { MacAddress } from '../records/address.ts'

/** Where new values come from. Each call gives another; whether it is free is the caller's to see to. */
export interface Generators {
  uuid(): string
  /** Neutron's `base_mac` `fa:16:3e:00:00:00`: its first three octets, the others at random. */
  mac(): MacAddress
  /** `r-` and 8 of `0-9a-z`. */
  reservationId(): string
}

export const randomGenerators: Generators = {
  uuid: () => randomUUID(),
  mac: () =>
    `fa:16:3e:${randomBytes(3)
      .toString('hex')
      .replaceAll(/(..)(?=.)/g, '$1:')}` as MacAddress,
  reservationId: () => `r-${Array.from({ length: 8 }, () => randomInt(36).toString(36)).join('')}`,
}
