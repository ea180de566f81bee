import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Daemon, firstboot, startDaemon, startedBelow } from '../daemon.ts'
import { openTestMachine, type TestMachine } from '../test-machine.ts'
import { udhcpc } from '../udhcpc.ts'
import { type Explained, readExplained } from './explained.ts'

/** One guest: a namespace of the server's name with `eth0` on its port. */
export interface Patient {
  readonly name: string
  /** The id of its port. */
  readonly port: string
  readonly tap: string
  readonly bridge: string
  readonly mac: string
  readonly address: string
  /** The namespace of its network. */
  readonly qdhcp: string
}

/** One machine with daemons of ours and guests that have their leases. */
export interface Ward {
  readonly machine: TestMachine
  readonly state: string
  patient(name: string): Patient
  /** Runs a command in the machine. */
  run(...command: readonly string[]): string
  /** Runs a program in the machine until it is ended. */
  keep(...command: readonly string[]): ChildProcess
  /** Kills what `keep` started. */
  end(kept: ChildProcess): void
  /** In a network namespace of it. */
  within(netns: string, ...command: readonly string[]): string
  /** The guest asks DHCP for everything it needs. */
  lease(name: string, ...options: readonly string[]): void
  daemon(...args: readonly string[]): Daemon
  /** The pid of a daemon. */
  pid(command: string): string
  /** SIGCONT. */
  goOn(pid: string): void
  /** Stops the datapath's daemon, which would repair what is done next; `awake` lets it. */
  asleep(): void
  awake(): void
  explain(name: string): Promise<Explained>
  close(): Promise<void>
}

interface Row {
  readonly id: string
  readonly name: string
  readonly [field: string]: unknown
}

/** @param datapath  the daemon that keeps the namespaces */
export async function openWard(inventory: string, datapath: 'up' | 'dhcp-agent'): Promise<Ward> {
  const directory = mkdtempSync(join(tmpdir(), 'firstboot-ward-'))
  const file = join(directory, 'inventory.yaml')
  const state = join(directory, 'state')
  const machine = await openTestMachine()
  writeFileSync(file, inventory)
  mkdirSync(state, { mode: 0o711 })
  try {
    // A disk of its own, which can be filled.
    machine.run('mount', '-t', 'tmpfs', '-o', 'size=160m,mode=0711', 'tmpfs', state)
    machine.run(...firstboot('apply', '-f', file, '-s', state))
  } catch (error) {
    await machine.stop()
    throw error
  }
  const daemons: Daemon[] = []
  const rows = (noun: string) => JSON.parse(machine.run(...firstboot('list', noun, '--json', '-s', state))) as Row[]
  const [servers, ports] = [rows('servers'), rows('ports')]
  const run: Ward['run'] = (program = '', ...args) => machine.run(program, ...args)
  const pid = (command: string) => {
    const found = run('pgrep', '-f', `firstboot.js ${command} .*${state}`).trim().split('\n')
    return found.at(-1) ?? assert.fail(`no ${command} runs`)
  }
  const patient = (name: string): Patient => {
    const server = servers.find((each) => each.name === name)
    const own = ports.filter((each) => each['device_id'] === server?.id)
    // Of several the one of its name.
    const port = own.find((each) => each.name === name) ?? own[0] ?? assert.fail(`${name} has no port`)
    const network = String(port['network_id'])
    const [fixedIp] = port['fixed_ips'] as { ip_address: string }[]
    return {
      name,
      port: port.id,
      tap: `tap${port.id.slice(0, 11)}`,
      bridge: `brq${network.slice(0, 11)}`,
      mac: String(port['mac_address']),
      address: fixedIp?.ip_address ?? '',
      qdhcp: `qdhcp-${network}`,
    }
  }
  const ward: Ward = {
    machine,
    state,
    patient,
    run,
    within: (netns, ...command) => run('ip', 'netns', 'exec', netns, ...command),
    keep: (program = '', ...args) => machine.start([program, ...args], { stdio: 'ignore' }),
    end: ({ pid: nsenter }) => {
      const started = startedBelow(nsenter)
      if (started !== undefined) process.kill(started, 'SIGKILL')
    },
    lease: (name, ...options) => {
      run('ip', '-n', name, '-4', 'address', 'flush', 'dev', 'eth0')
      const asked = options.length === 0 ? ['-O', 'staticroutes'] : options
      ward.within(name, ...udhcpc(join(directory, name), ...asked))
    },
    daemon: (...args) => {
      const daemon = startDaemon(machine, ...args, '-s', state)
      daemons.push(daemon)
      return daemon
    },
    pid,
    goOn: (stopped) => {
      run('kill', '-CONT', stopped)
      wakeChildren()
    },
    asleep: () => void run('kill', '-STOP', pid(datapath)),
    awake: () => {
      ward.goOn(pid(datapath))
      // It looks, and repairs, before it answers; what it cannot repair is an exit code.
      run('sh', '-c', '"$@" || true', 'sh', ...firstboot('datapath', 'status', '--json', '-s', state))
    },
    explain: (name) => readExplained(machine, firstboot('explain', name, '--json', '-s', state)),
    close: async () => {
      wakeChildren()
      for (const daemon of daemons.toReversed()) await daemon.end('SIGINT').catch(() => undefined)
      await machine.stop()
      rmSync(directory, { recursive: true, force: true })
    },
  }
  return ward
}

/** Each guest’s `eth0`, with its lease. */
export function admit(ward: Ward, names: readonly string[]): void {
  for (const name of names) {
    plugIn(ward, name)
    ward.lease(name)
  }
}

/** A guest’s `eth0`, without an address but those it makes itself. */
export function plugIn(ward: Ward, name: string): void {
  const { tap, bridge, mac } = ward.patient(name)
  ward.run('ip', 'netns', 'add', name)
  ward.run('ip', 'link', 'add', tap, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name)
  ward.run('ip', 'link', 'set', tap, 'master', bridge, 'up')
  ward.run('ip', '-n', name, 'link', 'set', 'lo', 'up')
  ward.run('ip', '-n', name, 'link', 'set', 'eth0', 'address', mac, 'up')
}

/** nsenter stops itself with what it started. */
export function wakeChildren(): void {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'ascii').trim()
  for (const pid of children.split(' ').filter(Boolean)) process.kill(Number(pid), 'SIGCONT')
}
