import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto'
import type { InstanceId } from '../inventory/records/ids.ts'

/** EC2-style session tokens. Nothing is stored: a token is its own expiry and a seal over that and the instance. */
export interface SessionTokens {
  issue(instanceId: InstanceId, lifetimeSeconds: number): string
  /** Whether it was issued to this instance and has not expired. Takes the same time wherever a seal differs. */
  isValid(token: string, instanceId: InstanceId): boolean
}

const EXPIRY_BYTES = 8
const SEAL_BYTES = 32

/**
 * @param sharedSecret  processes that share it take each other's tokens; empty: nobody else's are taken
 * @param now  milliseconds since 1970
 */
export function sessionTokens(sharedSecret: string, now: () => number): SessionTokens {
  const key = sealingKey(sharedSecret)
  const seal = (expiry: Uint8Array, instanceId: InstanceId) =>
    createHmac('sha256', key).update(expiry).update(instanceId, 'utf8').digest()
  return {
    issue(instanceId, lifetimeSeconds) {
      const expiry = Buffer.alloc(EXPIRY_BYTES)
      expiry.writeBigUInt64BE(BigInt(now() + lifetimeSeconds * 1000))
      return Buffer.concat([expiry, seal(expiry, instanceId)]).toString('base64url')
    },
    isValid(token, instanceId) {
      const bytes = Buffer.from(token, 'base64url')
      if (bytes.length !== EXPIRY_BYTES + SEAL_BYTES) return false
      const expiry = bytes.subarray(0, EXPIRY_BYTES)
      const isOurs = timingSafeEqual(seal(expiry, instanceId), bytes.subarray(EXPIRY_BYTES))
      return isOurs && BigInt(now()) < expiry.readBigUInt64BE()
    },
  }
}

/** Not the secret itself: that one signs instance ids, which anybody may choose as the text of something else. */
function sealingKey(sharedSecret: string): Uint8Array {
  if (sharedSecret === '') return randomBytes(SEAL_BYTES)
  return new Uint8Array(hkdfSync('sha256', sharedSecret, '', 'firstboot metadata session tokens', SEAL_BYTES))
}
