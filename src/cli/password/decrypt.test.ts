import assert from 'node:assert/strict'
import { constants, generateKeyPairSync, publicEncrypt } from 'node:crypto'
import { describe, it } from 'node:test'
import { UsageError } from '../../config/read.ts'
import { decryptPassword } from './decrypt.ts'

describe('a posted password', () => {
  const own = generateKeyPairSync('rsa', { modulusLength: 1024 })
  const wrong = generateKeyPairSync('rsa', { modulusLength: 1024 })
  const long = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const curve = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const pem = own.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const post = (password: string | Uint8Array) =>
    publicEncrypt({ key: own.publicKey, padding: constants.RSA_PKCS1_PADDING }, Buffer.from(password)).toString(
      'base64',
    )

  for (const type of ['pkcs1', 'pkcs8'] as const)
    it(`is decrypted with the key in ${type}`, () => {
      const key = own.privateKey.export({ type, format: 'pem' }).toString()
      assert.equal(decryptPassword(`${post('Pässwörd ✓')}\r\n`, key), 'Pässwörd ✓')
    })

  const locked = own.privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })
  const cases: readonly { name: string; posted?: string; key?: string; want: RegExp }[] = [
    {
      name: 'another key',
      key: wrong.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      want: /does not fit/,
    },
    {
      name: 'a key of another size',
      key: long.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      want: /posted 128 bytes.*decrypts 256/,
    },
    { name: 'a text that was never encrypted', posted: 'hello', want: /posted 3 bytes.*not encrypted/ },
    { name: 'a passphrase', key: locked.toString(), want: /passphrase; make a copy without: openssl pkey/ },
    {
      name: 'OpenSSH’s own format',
      key: '-----BEGIN OPENSSH PRIVATE KEY-----\n-----END OPENSSH PRIVATE KEY-----\n',
      want: /ssh-keygen -p -m PEM/,
    },
    {
      name: 'a key that cannot decrypt',
      key: curve.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      want: /the key is ec; only RSA/,
    },
    {
      name: 'a public key',
      key: own.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
      want: /no.* private key|not hold a private key/,
    },
  ]
  // Of the texts a wrong key gives one in many thousands looks like a password: not this one.
  for (const { name, posted = post(new Uint8Array(100).fill(0x41)), key = pem, want } of cases)
    it(`is not decrypted with ${name}`, () =>
      assert.throws(
        () => decryptPassword(posted, key),
        (error) => error instanceof UsageError && want.test(error.message),
      ))
})
