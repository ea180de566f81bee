import assert from 'node:assert/strict'
import type { Command, ObservedNamespace } from '../../src/host/host.ts'
import { KernelHost } from '../../src/host/kernel-host.ts'
import { Listeners } from '../../src/host/listeners.ts'
import type { Device } from '../../src/host/namespace.ts'
import { runProgram } from '../../src/host/programs.ts'
import type { MacAddress } from '../../src/inventory/records/address.ts'
import { temporaryDirectory } from './datapath-machine.ts'

// Three namespaces on one bridge, made by the commands of the datapath, to be changed by hand.
//
//   qrouter-a        qrouter-b        qrouter-c
//   qr-a 10.0.0.1    qr-b 10.0.0.2    qr-c 10.0.0.3
//     |                |                |
//   tap-a ---------- tap-b ---------- tap-c      brqtest

const NAMES = ['a', 'b', 'c'] as const

export interface BridgedNamespaces {
  /** Another one after `reopen`. */
  readonly host: KernelHost
  readonly statePath: string
  /** The namespaces that a program was started to read, one by one. */
  readonly reads: string[]
  /** As a run that ends, and the next. */
  reopen(): void
  /** @throws when there is no such namespace */
  observed(netns: string): Promise<ObservedNamespace>
  /** Takes the namespaces away too. */
  close(): Promise<void>
}

export async function openBridgedNamespaces(): Promise<BridgedNamespaces> {
  const state = temporaryDirectory()
  const reads: string[] = []
  let host = openHost(state.path, reads)
  await host.execute([{ kind: 'bridge-add', bridge: { name: 'brqtest', mtu: 1450 } }])
  for (const letter of NAMES) await host.execute(making(letter))
  return {
    get host() {
      return host
    },
    statePath: state.path,
    reads,
    reopen() {
      host.close()
      host = openHost(state.path, reads)
    },
    observed: async (netns) => (await host.observe()).namespaces.get(netns) ?? assert.fail(`${netns} is not there`),
    async close() {
      for (const letter of NAMES) await host.execute([{ kind: 'netns-delete', netns: `qrouter-${letter}` }])
      await host.execute([{ kind: 'bridge-delete', name: 'brqtest' }])
      host.close()
      state.remove()
    },
  }
}

/** Runs a program in a namespace. */
export const inside = (netns: string, ...command: readonly [string, ...string[]]) =>
  runProgram('ip', ['netns', 'exec', netns, ...command])

export function device(letter: string): Device {
  const number = NAMES.join('').indexOf(letter) + 1
  return {
    name: `qr-${letter}`,
    peer: `tap-${letter}`,
    bridge: 'brqtest',
    mac: `fa:16:3e:00:00:0${number}` as MacAddress,
    mtu: 1450,
    addresses: [`10.0.0.${number}/24`, `fd00::${number}/64`],
  }
}

function making(letter: string): readonly Command[] {
  const netns = `qrouter-${letter}`
  const wanted = device(letter)
  return [
    { kind: 'netns-add', netns },
    { kind: 'device-add', netns, device: wanted },
    ...wanted.addresses.map((address) => ({ kind: 'address-add', netns, device: wanted.name, address }) as const),
  ]
}

function openHost(statePath: string, reads: string[]): KernelHost {
  return new KernelHost({
    netnsPrefixes: ['qrouter-'],
    firewallPrefixes: ['qrouter-'],
    bridgePrefix: 'brq',
    statePath,
    sysctls: ['net.ipv4.ip_forward', 'net.ipv4.ip_nonlocal_bind'],
    sockets: new Listeners(() => assert.fail()),
    warn: (what) => assert.fail(what),
    onRead: (netns) => reads.push(netns),
  })
}
