import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TlsMaterial } from '../../src/ovsdb/ovsdb.ts'

/** An authority, and what it signed: as ovs-pki(8) makes them, names that are no host's. */
export interface Authority {
  readonly caFile: string
  issue(name: string): TlsMaterial & { readonly keyFile: string; readonly certFile: string }
}

export function createAuthority(directory: string, name: string): Authority {
  const file = (kind: string) => join(directory, `${name}-${kind}.pem`)
  const openssl = (...args: readonly string[]) => execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const [caFile, caKey] = [file('ca'), file('ca-key')]
  openssl('req', '-x509', ...newKey, '-keyout', caKey, '-out', caFile, '-days', '2', '-subj', `/CN=${name}`)
  return {
    caFile,
    issue(subject) {
      const [keyFile, request, certFile] = [file(`${subject}-key`), file(`${subject}-req`), file(subject)]
      openssl('req', ...newKey, '-keyout', keyFile, '-out', request, '-subj', `/CN=${subject}`)
      writeFileSync(file('extensions'), 'basicConstraints=CA:FALSE\n')
      const signing = ['-CA', caFile, '-CAkey', caKey, '-CAcreateserial', '-days', '2', '-extfile', file('extensions')]
      openssl('x509', '-req', '-in', request, '-out', certFile, ...signing)
      const [key, cert, ca] = [keyFile, certFile, caFile].map((path) => readFileSync(path)) as [Buffer, Buffer, Buffer]
      return { key, cert, ca, keyFile, certFile }
    },
  }
}
