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
