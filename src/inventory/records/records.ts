import type { Flavor } from './flavor.ts'
import type { FloatingIp } from './floating-ip.ts'
import type { FormerInterface } from './former-interface.ts'
import type { Image } from './image.ts'
import type { Keypair } from './keypair.ts'
import type { Network } from './network.ts'
import type { Port } from './port.ts'
import type { Project } from './project.ts'
import type { Router } from './router.ts'
import type { SecurityGroup } from './security-group.ts'
import type { Server } from './server.ts'
import type { Subnet } from './subnet.ts'

/** Everything the inventory holds, by noun. A reference points only to a noun above its own, so this is also the order
 *  in which records can be written. */
export interface Records {
  readonly project: Project
  readonly keypair: Keypair
  readonly flavor: Flavor
  readonly image: Image
  readonly security_group: SecurityGroup
  readonly network: Network
  readonly subnet: Subnet
  readonly router: Router
  readonly port: Port
  readonly floating_ip: FloatingIp
  readonly server: Server
  /** Written by the store itself. It refers to nothing: what it speaks of may be gone. */
  readonly former_interface: FormerInterface
}

export type Noun = keyof Records

export const NOUNS = [
  'project',
  'keypair',
  'flavor',
  'image',
  'security_group',
  'network',
  'subnet',
  'router',
  'port',
  'floating_ip',
  'server',
  'former_interface',
] as const satisfies readonly Noun[]

/** The whole inventory as plain data: noun -> id -> record. */
export type RecordSet = { readonly [N in Noun]: ReadonlyMap<string, Records[N]> }

/** One write. `put` replaces the record of that id or adds it. */
export type Change = {
  [N in Noun]:
    | { readonly op: 'put'; readonly noun: N; readonly record: Records[N] }
    | { readonly op: 'delete'; readonly noun: N; readonly id: string }
}[Noun]

export function emptyRecordSet(): RecordSet {
  return Object.fromEntries(NOUNS.map((noun) => [noun, new Map()])) as unknown as RecordSet
}
