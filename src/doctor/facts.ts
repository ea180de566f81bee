import type { KernelFacts } from '../host/examine/kernel.ts'
import type { Known } from '../host/examine/known.ts'
import type { Neighbours } from '../host/examine/neighbours.ts'
import type { NetworkFacts } from '../host/examine/network.ts'
import type { OwnProcess } from '../host/examine/own-process.ts'
import type { FoundProgram } from '../host/examine/programs.ts'
import type { StateFacts } from '../host/examine/state.ts'

/** Everything the checks go by: read once, then judged without looking again. No secret is in it. */
export interface Facts {
  readonly programs: ReadonlyMap<string, FoundProgram>
  readonly kernel: KernelFacts
  readonly own: OwnProcess
  readonly network: NetworkFacts
  readonly neighbours: Known<Neighbours>
  /** The state directory that is examined. */
  readonly state: StateFacts
  /** Of every state directory that something here is marked with: whether it is there, and who runs on it. */
  readonly owners: ReadonlyMap<string, { readonly exists: boolean; readonly holder: number | undefined }>
  /** Milliseconds since 1970. */
  readonly now: number
  readonly node: { readonly running: string; readonly oldest: string }
  readonly configuration: ConfigurationFacts
  readonly secrets: Known<readonly SecretSource[]>
  /** undefined: this host is no chassis of OVN, and nobody wants it to be one. */
  readonly ovn: OvnHost | undefined
}

/** A chassis of OVN, or what is to be one. */
export interface OvnHost {
  /** Of Open vSwitch and OVN, those that run. */
  readonly programs: Known<ReadonlySet<string>>
  readonly hasKernelModule: boolean
  /** Open vSwitch's own database. `problem`: why it cannot be read. */
  readonly local: { readonly remote: string; readonly problem: string | undefined }
  readonly southbound: {
    /** undefined: nobody says where it is. */
    readonly remote: string | undefined
    readonly problem: string | undefined
    /** Columns that older ones do not have. */
    readonly lacks: Known<readonly string[]>
  }
  readonly chassis: Known<{
    readonly systemId: string | undefined
    /** As it should be called. */
    readonly bridge: string
    /** `netdev`, `system`, or empty text, which is `system`; undefined: there is no such bridge. */
    readonly datapathType: string | undefined
    /** Ports with a mark of ours, the state directory in it, and whether their device is there. */
    readonly ports: readonly {
      readonly name: string
      readonly statePath: string | undefined
      readonly isThere: boolean
    }[]
  }>
  /** Namespaces of our names that somebody else made. */
  readonly foreignNamespaces: readonly string[]
}

export interface ConfigurationFacts {
  /** Variables `FIRSTBOOT_…` that no option has. */
  readonly unknown: readonly { readonly name: string; readonly meant: string | undefined }[]
  /** Variables whose value its option refuses. */
  readonly wrong: readonly string[]
}

/** Where one side keeps the secret that agent and API share. */
export interface SecretSource {
  readonly side: 'agent' | 'api'
  readonly where: string
  /** Equal ones are of equal secrets; under a key of this run, so that it tells nothing else. */
  readonly digest: string
}
