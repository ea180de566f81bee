import { existsSync, readFileSync } from 'node:fs'
import { release } from 'node:os'
import { lastLines } from '../programs.ts'
import { sandboxProblem, unshareArguments } from '../sandbox-problem.ts'
import { attempt } from './attempt.ts'
import { type Known, known } from './known.ts'

export interface KernelFacts {
  readonly release: string
  /** Why no namespaces can be made here; undefined: they can. */
  readonly namespaceProblem: string | undefined
  /** By the name of the trial: what the kernel said against it; undefined for one that succeeded. */
  readonly trials: ReadonlyMap<string, Known<string | undefined>>
  readonly hasIpv6: boolean
  /** `net.ipv6.conf.all.disable_ipv6` is on. */
  readonly isIpv6Disabled: boolean
  /** Tables that iptables-legacy has filled. */
  readonly legacyTables: Known<readonly string[]>
  /** Bridged packets go through iptables. */
  readonly isBridgeFiltered: boolean
  /** `ACCEPT`, `DROP`; asked for only when bridged packets meet it. */
  readonly forwardPolicy: Known<string>
}

/** Something that is tried in a network namespace of its own, which goes when the program ends. */
export interface Trial {
  readonly name: string
  readonly command: readonly [program: string, ...args: string[]]
}

/** Takes about 0.2 s. May load modules of the kernel (veth, bridge, nat), as serving would. */
export async function kernelFacts(trials: readonly Trial[]): Promise<KernelFacts> {
  const namespaceProblem = sandboxProblem()
  const isBridgeFiltered = setting('net/bridge/bridge-nf-call-iptables') === '1'
  const tried = trials.map(async (trial) => [trial.name, await outcomeOf(trial, namespaceProblem)] as const)
  return {
    release: release(),
    namespaceProblem,
    trials: new Map(await Promise.all(tried)),
    hasIpv6: existsSync('/proc/sys/net/ipv6'),
    isIpv6Disabled: setting('net/ipv6/conf/all/disable_ipv6') === '1',
    legacyTables: legacyTables(),
    isBridgeFiltered,
    forwardPolicy: isBridgeFiltered ? await forwardPolicy() : { unknown: 'it was not asked for' },
  }
}

/** A number from /proc/sys; undefined where this kernel has no such setting. */
export function setting(path: string): string | undefined {
  const file = `/proc/sys/${path}`
  return existsSync(file) ? readFileSync(file, 'ascii').trim() : undefined
}

async function outcomeOf({ command }: Trial, problem: string | undefined): Promise<Known<string | undefined>> {
  if (problem !== undefined) return { unknown: 'no namespace can be made to try it in' }
  const there = await attempt(command[0], ['--version'])
  if (there === undefined) return { unknown: `${command[0]} is not installed` }
  const answer = await attempt('unshare', [...unshareArguments(), ...command])
  if (answer?.exitCode === 0) return { value: undefined }
  return { value: lastLines(answer?.stderr ?? '', 1) || 'it did not end' }
}

/** The file is there once the legacy module is, and root's. */
function legacyTables(): Known<readonly string[]> {
  const file = '/proc/net/ip_tables_names'
  if (!existsSync(file)) return { value: [] }
  return known(file, () => readFileSync(file, 'ascii').split('\n').filter(Boolean))
}

async function forwardPolicy(): Promise<Known<string>> {
  const answer = await attempt('iptables', ['-w', '2', '-S', 'FORWARD'])
  if (answer === undefined) return { unknown: 'iptables is not installed' }
  const policy = /^-P FORWARD (\w+)/m.exec(answer.stdout)?.[1]
  return policy === undefined ? { unknown: `iptables says: ${lastLines(answer.stderr, 1)}` } : { value: policy }
}
