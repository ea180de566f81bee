import type { Check } from '../finding.ts'
import type { Subject } from './subject.ts'

const NO_LOGIN = 'the guest finds no key that sshd takes, so nobody can log in with it'

export const keyPairChecks: readonly Check<Subject>[] = [
  {
    name: 'key-pair/name',
    severity: 'warning',
    breaks: ['afterburn'],
    how: 'the EC2 list shows 0=NAME; with a second "=" in it afterburn gives up the whole list, and no key is installed (Fedora CoreOS, RHEL CoreOS, Flatcar)',
    mend: 'rename the key pair',
    look: ({ instance: { keyName } }) =>
      keyName?.includes('=') ? { problem: `the key pair is called ${JSON.stringify(keyName)}` } : undefined,
  },
  {
    name: 'key-pair/list-line',
    severity: 'warning',
    breaks: ['cloud-init', 'CirrOS', 'afterburn'],
    how: 'a list has one name a line: the guest reads two, and asks for a key that does not exist',
    mend: 'rename the key pair',
    look: ({ instance: { keyName } }) =>
      /[\r\n]/.test(keyName ?? '') ? { problem: 'the name of the key pair has a line end in it' } : undefined,
  },
  {
    name: 'key-pair/gone',
    severity: 'warning',
    breaks: ['cloud-init'],
    how: 'meta_data.json has no public_keys, the only place cloud-init looks; the EC2 tree still shows the key',
    mend: 'give the server an existing key pair',
    look: ({ instance: { keyName, keypair } }) =>
      keyName !== null && keypair === null ? { problem: `the key pair ${JSON.stringify(keyName)} is gone` } : undefined,
  },
  {
    name: 'key-pair/text',
    severity: 'error',
    breaks: ['every guest'],
    how: NO_LOGIN,
    mend: 'give the content of the .pub file: one line, such as ssh-ed25519 AAAA... name',
    look: ({ instance: { keyData, keypair } }) => {
      if (keyData === null || keypair?.type === 'x509') return undefined
      const problem = keyProblem(keyData)
      return problem === undefined ? undefined : { problem }
    },
  },
  {
    name: 'key-pair/certificate',
    severity: 'warning',
    breaks: ['cloud-init', 'CirrOS', 'afterburn'],
    how: 'a certificate serves WinRM on Windows; sshd takes it for no key',
    mend: 'use a key pair of type ssh for guests other than Windows',
    look: ({ instance: { keypair } }) =>
      keypair?.type === 'x509' ? { problem: 'the key pair is an X.509 certificate' } : undefined,
  },
]

/** Why a text is no public key for an authorized_keys file. */
function keyProblem(text: string): string | undefined {
  if (/PRIVATE KEY-----/.test(text))
    return 'the key is a PRIVATE key, which every process in the guest can now read: make a new one'
  if (/^---- BEGIN SSH2 PUBLIC KEY/.test(text))
    return 'the key is in the format of RFC 4716 (PuTTY), which OpenSSH does not read'
  if (/-----BEGIN/.test(text)) return 'the key is PEM text'
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '')
  if (lines.length !== 1) return `the key has ${lines.length} lines`
  const [, type = '', body = ''] = /(?:^|\s)((?:ssh|ecdsa|sk-ssh|sk-ecdsa)-\S+)\s+(\S+)/.exec(lines[0] ?? '') ?? []
  if (type === '') return 'the key is no OpenSSH line'
  return innerType(body) === type
    ? undefined
    : `the key says ${type}, but what follows is not such a key: it was cut off or mixed up`
}

/** RFC 4253 §6.6: the blob begins with the length and name of its type. */
function innerType(base64: string): string | undefined {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return undefined
  const blob = Buffer.from(base64, 'base64')
  if (blob.length < 4) return undefined
  const length = blob.readUInt32BE(0)
  return blob.length > 4 + length ? blob.subarray(4, 4 + length).toString('latin1') : undefined
}
