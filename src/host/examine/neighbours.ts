import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { listProcesses, type ProcessId, sharesNamespaces } from '../process.ts'
import type { Known } from './known.ts'

/** A process on this host that has to do with networks. */
export interface Neighbour {
  readonly pid: number
  readonly arguments: readonly string[]
  readonly netnsInode: number
}

export interface DhcpServer extends Neighbour {
  /** Where its files are, as Neutron and we lay them out: the folder of its pid file; undefined: neither's, or in a container. */
  readonly directory: string | undefined
  /** Interfaces it keeps to; none: it answers on all. */
  readonly interfaces: readonly string[]
}

export interface Neighbours {
  readonly dnsmasq: readonly DhcpServer[]
  readonly neutronAgents: readonly Neighbour[]
  /** Daemons of firstboot. Those of a container or a sandbox have files of their own, and are not here. */
  readonly firstboots: readonly (Neighbour & { readonly command: string })[]
}

/** unknown to all but root, who alone may ask each process for its namespaces. */
export function neighbours(): Known<Neighbours> {
  if (process.geteuid?.() !== 0) return { unknown: 'only root may look at the processes of others' }
  const firstboots = listProcesses((args) => firstbootCommand(args) !== undefined).filter(livesHere)
  const value = {
    dnsmasq: listProcesses(([program = '']) => basename(program) === 'dnsmasq').map(dhcpServer),
    neutronAgents: listProcesses((args) => args.slice(0, 3).some((each) => AGENT.test(basename(each)))),
    firstboots: firstboots.map((found) => ({ ...found, command: firstbootCommand(found.arguments) ?? '' })),
  }
  return { value }
}

function livesHere(id: ProcessId): boolean {
  return sharesNamespaces(id, ['mnt', 'pid'])
}

const AGENT = /^neutron-(dhcp|l3|metadata|ovn-metadata|ovn|linuxbridge|openvswitch)-agent$/

/** `node …/bin/firstboot.js up …`: `up`. undefined: it is none of ours. */
export function firstbootCommand(args: readonly string[]): string | undefined {
  const at = args.findIndex((each) => /^firstboot(\.js)?$/.test(basename(each)))
  return at === -1 || at > 3 ? undefined : (args[at + 1] ?? '')
}

function dhcpServer(found: Neighbour & ProcessId): DhcpServer {
  const { arguments: args } = found
  const pidFile = valuesOf(args, 'pid-file').find((path) => /\/dhcp\/[^/]+\/pid$/.test(path))
  const configured = valuesOf(args, 'conf-file').flatMap((path) => [...configuration(path)])
  return {
    ...found,
    directory: livesHere(found) ? pidFile?.slice(0, -'/pid'.length) : undefined,
    interfaces: [...valuesOf(args, 'interface'), ...configured],
  }
}

/** Of `--name=value` and `--name value`. */
function valuesOf(args: readonly string[], name: string): readonly string[] {
  return args.flatMap((each, i) => {
    if (each === `--${name}`) return args[i + 1] ?? []
    return each.startsWith(`--${name}=`) ? each.slice(name.length + 3) : []
  })
}

/** Interfaces that a file of libvirt's names. */
function configuration(path: string): readonly string[] {
  try {
    return Array.from(readFileSync(path, 'utf8').matchAll(/^interface=(.+)$/gm), ([, name = '']) => name.trim())
  } catch {
    return []
  }
}
