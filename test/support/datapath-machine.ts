import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DATAPATH_DEFAULTS, type DatapathConfig } from '../../src/datapath/config.ts'
import { Planner } from '../../src/datapath/desired.ts'
import { FIREWALL_PREFIXES, NETNS_PREFIXES, SYSCTLS } from '../../src/datapath/namespaces.ts'
import { Reconciler } from '../../src/datapath/reconciler.ts'
import { resumedListeners } from '../../src/datapath/resume.ts'
import { KernelHost } from '../../src/host/kernel-host.ts'
import { Listeners } from '../../src/host/listeners.ts'
import { addNetns, deleteNetns, plugPort, unplug } from '../../src/host/plug.ts'
import { captureProgram, runProgram } from '../../src/host/programs.ts'
import { peerAddress } from '../../src/host/sockets.ts'
import { bridgeName } from '../../src/inventory/records/network.ts'
import { type Port, tapName } from '../../src/inventory/records/port.ts'
import { emptyRecordSet, type RecordSet } from '../../src/inventory/records/records.ts'
import { silentLog } from '../../src/observe/log.ts'
import { udhcpc } from './udhcpc.ts'

/** Why a test of the kernel cannot run here, or false. */
export const noSandbox = process.env['FIRSTBOOT_SANDBOX'] === '1' ? false : 'needs a sandbox of its own: npm test'

/** The records of the datapath, changed as a whole. */
export class RecordsInHand {
  records: RecordSet = emptyRecordSet()
  sequence = 0
  readonly ready = Promise.resolve()
  readonly #listeners = new Set<(nouns: ReadonlySet<keyof RecordSet>) => void>()

  onChange(listener: (nouns: ReadonlySet<keyof RecordSet>) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  change(records: Partial<RecordSet>): void {
    this.records = { ...this.records, ...records }
    this.sequence += 1
    for (const listener of this.#listeners) listener(new Set(['port'] as const))
  }
}

export interface RunningDatapath {
  readonly reconciler: Reconciler
  /** As a process that ends without tearing down. */
  leave(): Promise<void>
}

/** A DHCP agent whose proxies answer with the network and, as they see it, the guest's address. */
export function startDatapath(inventory: RecordsInHand, statePath: string): RunningDatapath {
  const host = new KernelHost({
    netnsPrefixes: NETNS_PREFIXES,
    firewallPrefixes: FIREWALL_PREFIXES,
    bridgePrefix: 'brq',
    statePath,
    sysctls: SYSCTLS,
    sockets: new Listeners((fd, { stamp }) => {
      const networkId = 'networkId' in stamp ? stamp.networkId : stamp.routerId
      const server = createServer(({ socket }, reply) => {
        reply.end(`${networkId} ${peerAddress(descriptorOf(socket))}`)
      })
      server.listen({ fd })
      return async () => {
        server.close()
        server.closeAllConnections()
      }
    }),
    warn: (what) => assert.fail(what),
  })
  const config: DatapathConfig = { ...DATAPATH_DEFAULTS, statePath }
  const planner = new Planner()
  const reconciler = new Reconciler({
    source: inventory,
    desired: (records, now) => planner.desired(records, config, now),
    resume: (observed) => resumedListeners(observed, config),
    host,
    log: silentLog,
    periodMilliseconds: 3_600_000,
  })
  return {
    reconciler,
    async leave() {
      await reconciler.stop()
      host.close()
    },
  }
}

function descriptorOf(socket: Socket): number {
  return (socket as Socket & { readonly _handle: { readonly fd: number } })._handle.fd
}

/** A state directory that a dnsmasq which has become another user can reach. */
export function temporaryDirectory(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'firstboot-datapath-'))
  chmodSync(path, 0o755)
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

/** What a DHCP client was told. */
export interface Lease {
  readonly ip: string
  readonly router: string | undefined
  readonly staticroutes: string | undefined
  readonly mtu: string | undefined
}

/** An instance that is a namespace: `eth0` on its port. */
export class NamespaceGuest {
  readonly netns: string
  readonly #port: Port
  readonly #directory: string

  constructor(name: string, port: Port, directory: string) {
    this.netns = name
    this.#port = port
    this.#directory = directory
  }

  async plug(): Promise<void> {
    const { networkId, macAddress: mac } = this.#port
    await addNetns(this.netns)
    const tap = tapName(this.#port)
    await plugPort({ bridge: bridgeName(networkId), tap, netns: this.netns, inner: 'eth0', mac, mtu: 1450 })
    await this.run('ip', 'link', 'set', 'eth0', 'up')
  }

  async remove(): Promise<void> {
    await unplug(tapName(this.#port))
    await deleteNetns(this.netns)
  }

  async requestLease(): Promise<Lease> {
    const answer = join(this.#directory, `${this.netns}.lease`)
    await this.run(...udhcpc(answer, '-O', 'mtu', '-O', 'staticroutes'))
    const values = new Map(
      readFileSync(answer, 'utf8')
        .trim()
        .split('\n')
        .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    )
    const ip = `${values.get('ip')}/${values.get('mask')}`
    return { ip, router: values.get('router'), staticroutes: values.get('staticroutes'), mtu: values.get('mtu') }
  }

  async get(url: string): Promise<string> {
    return (await this.run('curl', '-sS', '--globoff', '--max-time', '5', url)).stdout
  }

  run(...command: readonly string[]) {
    return runProgram('ip', ['netns', 'exec', this.netns, ...command])
  }
}

/** Names of the devices in the sandbox's own namespace. */
export async function deviceNames(): Promise<readonly string[]> {
  const { stdout } = await captureProgram('ip', ['-br', 'link'])
  return stdout
    .trim()
    .split('\n')
    .map((line) => line.split(/[\s@]/)[0] ?? '')
}
