import { createHash, createHmac, timingSafeEqual } from 'node:crypto'

/**
 * Whether `signature` is the lower-case hexadecimal HMAC-SHA256 of the instance id under the shared secret. An empty
 * secret is a key like any other. Takes the same time wherever the texts differ, and whatever their length.
 */
export function isSigned(instanceId: string, signature: string, sharedSecret: string): boolean {
  const right = createHmac('sha256', sharedSecret).update(instanceId, 'utf8').digest('hex')
  return timingSafeEqual(digest(right), digest(signature))
}

function digest(text: string): Uint8Array {
  return createHash('sha256').update(text, 'utf8').digest()
}
