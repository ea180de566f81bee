import { createPrivateKey, X509Certificate } from 'node:crypto'
import type { TlsMaterial } from './transport.ts'

/** What must hold of it. OpenSSL's own words say neither which of the three is wrong nor that it is ours. */
const REQUIREMENTS: readonly {
  readonly otherwise: string
  readonly holds: (material: TlsMaterial) => unknown
}[] = [
  { otherwise: 'the private key is none in PEM', holds: ({ key }) => createPrivateKey(pem(key)) },
  { otherwise: 'the certificate is none in PEM', holds: ({ cert }) => new X509Certificate(pem(cert)) },
  { otherwise: 'the authorities’ certificates are none in PEM', holds: ({ ca }) => new X509Certificate(pem(ca)) },
  {
    otherwise: 'the private key is not that of the certificate',
    holds: ({ key, cert }) => new X509Certificate(pem(cert)).checkPrivateKey(createPrivateKey(pem(key))),
  },
]

/** Why no connection can be made with it; undefined when one can. Pure. */
export function whyUnusable(material: TlsMaterial): string | undefined {
  return REQUIREMENTS.find(({ holds }) => {
    try {
      return holds(material) === false
    } catch {
      return true
    }
  })?.otherwise
}

/** What OpenSSL says when the other side ends the handshake for our certificate. */
const REFUSAL = /alert ((?:bad|unknown|unsupported|revoked|expired|certificate|access)[a-z ]*)/

/** Why a connection failed, in words for who reads the log, and without the address, which stands beside it there. Pure. */
export function whyFailed({ message, code, syscall }: NodeJS.ErrnoException): string {
  const [, alert] = REFUSAL.exec(message) ?? []
  if (alert !== undefined) return `the server does not accept our certificate (${alert.trim()})`
  if (syscall !== undefined && code !== undefined) return `${syscall} ${code}`
  return message.trim() || (code ?? 'nobody says why') // several addresses of one name failed, each in its own way
}

export function pem(text: string | Uint8Array): string | Buffer {
  return typeof text === 'string' ? text : Buffer.from(text)
}
