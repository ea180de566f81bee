import { constants, createPrivateKey, type KeyObject, privateDecrypt } from 'node:crypto'
import { UsageError } from '../../config/read.ts'

/**
 * What a guest encrypted with the public key of its key pair: RSA with PKCS #1 v1.5 padding, in base64, as cloudbase-init
 * posts it and `nova get-password` reads it.
 * @throws UsageError saying what is wrong with the key or with what was posted
 */
export function decryptPassword(posted: string, pem: string): string {
  const key = readKey(pem)
  const encrypted = Buffer.from(posted.trim(), 'base64')
  const bytes = (key.asymmetricKeyDetails?.modulusLength ?? 0) / 8
  if (encrypted.length !== bytes) {
    throw new UsageError(
      `the guest posted ${encrypted.length} bytes in base64, and this key decrypts ${bytes}: another key's, or not encrypted`,
    )
  }
  const plain = unpadded(privateDecrypt({ key, padding: constants.RSA_NO_PADDING }, encrypted))
  const text = plain && readText(plain)
  if (text === undefined) throw new UsageError('the key does not fit: it is not the one of the server’s key pair')
  return text
}

function readKey(pem: string): KeyObject {
  if (pem.includes('BEGIN OPENSSH PRIVATE KEY')) {
    throw new UsageError('the key is in OpenSSH’s own format; turn a copy into PEM: ssh-keygen -p -m PEM -f COPY')
  }
  if (pem.includes('ENCRYPTED')) {
    throw new UsageError('the key has a passphrase; make a copy without: openssl pkey -in FILE -out COPY')
  }
  let key: KeyObject
  try {
    key = createPrivateKey(pem)
  } catch {
    throw new UsageError('the file does not hold a private key in PEM')
  }
  if (key.asymmetricKeyType !== 'rsa') throw new UsageError(`the key is ${key.asymmetricKeyType}; only RSA decrypts`)
  return key
}

/** What stands behind the padding (RFC 8017, 7.2.2): 00 02, at least 8 bytes that are not 0, 00. OpenSSL itself gives random
 *  bytes for a wrong key, so that an attacker learns nothing, and now and then they are a text. Here the operator has both.
 *  @returns undefined when there is no such padding */
function unpadded(block: Buffer): Buffer | undefined {
  const end = block.indexOf(0, 2)
  return block[0] === 0 && block[1] === 2 && end >= 10 ? block.subarray(end + 1) : undefined
}

function readText(plain: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(plain)
    return /\p{Cc}/u.test(text) ? undefined : text
  } catch {
    return undefined
  }
}
