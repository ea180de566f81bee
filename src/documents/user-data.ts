import type { Instance } from '../inventory/records/instance.ts'

/** The bytes the owner gave, whatever they are; undefined when unset. Set to nothing is a document of length 0. */
export function userData(instance: Instance): Uint8Array | undefined {
  return instance.userData === null ? undefined : Buffer.from(instance.userData, 'base64')
}
