import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, closeSync, copyFileSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { InstanceId } from '../inventory/records/ids.ts'
import { attempting, errorCode, HostError } from './errors.ts'
import type { Guest, GuestState } from './guest.ts'
import { mountGuestFiles, readGuestFile, unmountGuestFiles } from './guest-files.ts'
import { addGuestNamespaces, guestOwner, sharesOurUser } from './guest-namespaces.ts'
import { ipBatch } from './iproute.ts'
import { type KeptGuest, readKeptGuest, writeKeptGuest } from './kept-guest.ts'
import { makeBridge } from './links.ts'
import { MARK } from './mark.ts'
import { openNetlink } from './netlink.ts'
import { netnsInode, netnsPath } from './netns.ts'
import { deleteNetns, plugPort, unplug } from './plug.ts'
import { endProcess, isAlive, listProcesses, netnsOf, processId, sharesNamespaces, signalProcess } from './process.ts'
import { startError } from './programs.ts'
import { type Link, readLinks } from './rtnetlink.ts'

/** What runs in a guest; it gets copies of its own. */
const SCRIPTS = ['guest-init.sh', 'guest-boot.sh', 'guest-dhcp.sh'] as const

/** Its only child is process 1 of the guest's PID namespace, which is the host's until it has built the guest's root. */
const UNSHARE = ['--mount', '--pid', '--fork', '--kill-child', '--', '/bin/sh'] as const

/** How long `guest-init.sh` may take to build a guest's root; it is done in tens of milliseconds where nothing else runs. */
const BOOT_MILLISECONDS = 20_000
const POLL_MILLISECONDS = 20

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/**
 * Instances that are namespaces: user and network namespace with the instance's ports, and mount, UTS, IPC and PID
 * namespaces around a small first-boot client (`guest-init.sh`). They outlive us and are adopted by the next run.
 */
export class NamespaceGuests {
  readonly #directory: string
  readonly #scripts: string

  /**
   * @param directory  holds one directory an instance. Of it a guest sees only `guest/`
   * @param scripts  where the guest's scripts are
   */
  constructor(directory: string, scripts: string) {
    this.#directory = directory
    this.#scripts = scripts
  }

  /** Everything a guest has printed. */
  consoleOf(id: InstanceId): string {
    return join(this.#directoryOf(id), 'console.log')
  }

  /** What a guest has left in its /run/firstboot. The guest wrote it: believe nothing of it.
   *  @returns undefined when there is no such file, or one of more than 1 MiB */
  leftBy(id: InstanceId, name: string): Buffer | undefined {
    return readGuestFile(this.#filesOf(id), name)
  }

  /** All of which something is left here, whoever started them. @throws when that cannot be told */
  async known(): Promise<ReadonlyMap<InstanceId, GuestState>> {
    const links = ownLinks()
    return new Map(this.#ids().map((id) => [id, stateOf(this.#kept(id), links)]))
  }

  async start(guest: Guest): Promise<void> {
    await this.stop(guest.id)
    await attempting(`starting instance ${guest.id}`, async () => {
      try {
        await this.#start(guest)
      } catch (error) {
        await this.stop(guest.id).catch(() => undefined) // the first error says more
        throw error
      }
    })
  }

  /** Puts the taps of a running guest back on their bridges. */
  async attach({ id, interfaces }: Guest): Promise<void> {
    await attempting(`plugging instance ${id} in again`, async () => {
      for (const { tap, bridge, mtu } of interfaces) {
        await makeBridge({ name: bridge, mtu }, MARK)
        await ipBatch([['link', 'set', tap, 'master', bridge, 'up']])
      }
    })
  }

  async stop(id: InstanceId): Promise<void> {
    const kept = this.#kept(id)
    if (kept === undefined || kept === 'unreadable') killInside(netnsName(id))
    else {
      // Ending unshare ends process 1 of the guest, which ignores SIGTERM like any process 1, and all the others.
      signalProcess(kept.process, 'SIGKILL')
      await endProcess(kept.process)
      for (const { tap } of kept.guest.interfaces) await unplug(tap)
    }
    await deleteNetns(netnsName(id))
    await unmountGuestFiles(this.#filesOf(id))
    rmSync(this.#directoryOf(id), { recursive: true, force: true })
  }

  /** A process of a running guest, by whose namespaces to enter it. One that was started just now is waited for until its
   *  root is built. @returns undefined when it does not run */
  async initOf(id: InstanceId): Promise<number | undefined> {
    const kept = this.#kept(id)
    if (kept === undefined || kept === 'unreadable') return undefined
    const netns = netnsInode(netnsPath(netnsName(id)))
    const start = performance.now()
    while (isAlive(kept.process) && performance.now() - start < BOOT_MILLISECONDS) {
      const init = childrenOf(kept.process.pid)
        .flatMap(childrenOf)
        .find((pid) => netnsOf(pid) === netns && hasLeftHost(pid))
      if (init !== undefined) return init
      await delay(POLL_MILLISECONDS)
    }
    return undefined
  }

  async #start(guest: Guest): Promise<void> {
    const directory = this.#directoryOf(guest.id)
    const netns = netnsName(guest.id)
    const owner = guestOwner()
    // Documents hold keys and passwords: nobody else of this host may look in.
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 })
    chmodSync(this.#directory, 0o700)
    mkdirSync(directory, { mode: 0o700 })
    await mountGuestFiles(this.#filesOf(guest.id), owner)
    for (const script of SCRIPTS) copyFileSync(join(this.#scripts, script), join(directory, script))
    const descriptors = [openSync(this.consoleOf(guest.id), 'a', 0o600), await addGuestNamespaces(netns)]
    try {
      descriptors.push(openSync(netnsPath(netns), 'r'))
      for (const { name, ...plug } of guest.interfaces) await plugPort({ ...plug, netns, inner: name })
      const [console, user, net] = descriptors
      const init = [join(directory, 'guest-init.sh'), directory, `${owner.uid}`, `${owner.gid}`]
      const stdio = ['ignore' as const, console, console, user, net]
      const child = spawn('unshare', [...UNSHARE, ...init], { detached: true, stdio, cwd: '/' })
      await once(child, 'spawn').catch((cause) => Promise.reject(startError('unshare', cause)))
      child.on('error', () => undefined).unref() // of a signal that comes too late
      this.#keep(guest, child.pid ?? 0, () => child.kill('SIGKILL'))
    } finally {
      descriptors.forEach((fd) => void closeSync(fd))
    }
  }

  #keep(guest: Guest, pid: number, kill: () => void): void {
    try {
      const identity = processId(pid)
      if (identity === undefined) throw new HostError('it ended at once')
      writeKeptGuest(this.#recordOf(guest.id), { guest, process: identity })
    } catch (error) {
      kill()
      throw error
    }
  }

  #directoryOf(id: InstanceId): string {
    return join(this.#directory, id)
  }

  #filesOf(id: InstanceId): string {
    return join(this.#directoryOf(id), 'guest')
  }

  #recordOf(id: InstanceId): string {
    return join(this.#directoryOf(id), 'guest.json')
  }

  #kept(id: InstanceId): KeptGuest | 'unreadable' | undefined {
    return readKeptGuest(this.#recordOf(id), id)
  }

  #ids(): InstanceId[] {
    try {
      return readdirSync(this.#directory).filter((name) => UUID.test(name)) as InstanceId[]
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return []
      throw error
    }
  }
}

/** The arguments that run a command inside a guest, in all of its namespaces and with no more rights than it has. */
export function guestEntry(pid: number, command: readonly string[]): [string, ...string[]] {
  // Where there is only one user nsenter must not try to become another.
  const user = sharesOurUser(pid) ? ['--user', '--preserve-credentials'] : ['--user']
  return ['nsenter', '--target', String(pid), ...user, '--net', '--mount', '--uts', '--ipc', '--pid', '--', ...command]
}

/** The network namespace of an instance. */
function netnsName(id: InstanceId): string {
  return `instance-${id}`
}

function stateOf(kept: KeptGuest | 'unreadable' | undefined, links: readonly Link[]): GuestState {
  if (kept === undefined || kept === 'unreadable') return { guest: undefined, condition: 'down' }
  const { guest, process } = kept
  const byName = new Map(links.map((link) => [link.name, link]))
  const hasTaps = guest.interfaces.every(({ tap }) => byName.has(tap))
  if (!hasTaps || !isAlive(process)) return { guest, condition: 'down' }
  const isPlugged = guest.interfaces.every(({ tap, bridge }) => byName.get(tap)?.master === byName.get(bridge)?.index)
  return { guest, condition: isPlugged ? 'running' : 'unplugged' }
}

/** Those of the host's namespace. */
function ownLinks(): readonly Link[] {
  const fd = openNetlink()
  try {
    return readLinks(fd)
  } finally {
    closeSync(fd)
  }
}

/** Of an instance of which nothing is known but its namespace. Its process 1 ends with what it waits for. */
function killInside(netns: string): void {
  const inode = netnsInode(netnsPath(netns))
  if (inode === undefined) return
  for (const found of listProcesses(() => true)) if (found.netnsInode === inode) signalProcess(found, 'SIGKILL')
}

/** Of a process in the guest's network namespace, which is entered first: whether it is in the guest's other ones too. */
function hasLeftHost(pid: number): boolean {
  const identity = processId(pid)
  return identity !== undefined && !sharesNamespaces(identity, ['ipc'])
}

function childrenOf(pid: number): number[] {
  try {
    const pids = readFileSync(`/proc/${pid}/task/${pid}/children`, 'ascii').trim()
    return pids === '' ? [] : pids.split(' ').map(Number)
  } catch {
    return [] // it has ended meanwhile
  }
}
