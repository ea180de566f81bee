import type { KeypairId, ProjectId } from './ids.ts'

/** A public key by name. Nova keeps them per user; firstboot has no users, so they belong to a project, and the name
 *  is unique there. A server keeps its own copy from the moment it is created. */
export interface Keypair {
  readonly id: KeypairId
  readonly projectId: ProjectId
  readonly name: string
  readonly type: 'ssh' | 'x509'
  /** One OpenSSH line, or the PEM text of a certificate; kept as given, a trailing newline included. */
  readonly publicKey: string
}
