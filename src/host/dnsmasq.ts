import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Backoff } from './backoff.ts'
import { hasStaleLeases, userArguments, writeDnsmasqFiles } from './dnsmasq-files.ts'
import { HostError } from './errors.ts'
import type { ObservedDnsmasq } from './host.ts'
import type { Dnsmasq, DnsmasqFiles } from './namespace.ts'
import { inNamespace, netnsPath } from './netns.ts'
import {
  endProcess,
  isAlive,
  listProcesses,
  type ProcessId,
  processId,
  sharesNamespaces,
  signalProcess,
} from './process.ts'
import { lastLines, startError } from './programs.ts'

/** How the process is run, whatever network it serves. */
const FOREGROUND = ['--keep-in-foreground', '--log-facility=-']
const HOST_ARGUMENTS: ReadonlySet<string> = new Set([...FOREGROUND, '--user=root', '--group='])

/** From start to pid file, which dnsmasq writes when its sockets are bound. */
const START_MILLISECONDS = 5_000
const POLL_MILLISECONDS = 5
/** How long the end of one is waited for: more than it needs, and little enough for the other namespaces to wait. */
const END_MILLISECONDS = 500

interface Running extends ProcessId {
  readonly arguments: readonly string[]
  readonly files: DnsmasqFiles | undefined
}

interface Stopping {
  readonly gone: Promise<void>
  /** Resolves when it is gone, or has taken too long. */
  readonly waited: Promise<void>
}

/**
 * The dnsmasq of each namespace. They are processes of their own session that outlive us, since guests need their leases
 * renewed while we restart; the next run adopts them.
 */
export class DnsmasqProcesses {
  readonly #running = new Map<string, Running>()
  readonly #stopping = new Map<string, Stopping>()
  readonly #backoff = new Backoff()
  readonly #directory: string
  readonly #onExit: (netns: string) => void

  /** @param directory  above the directory of each network: `<state_path>/dhcp` */
  constructor(directory: string, onExit: (netns: string) => void) {
    this.#directory = directory
    this.#onExit = onExit
  }

  /**
   * Finds those an earlier run started, by the path in their arguments (a pid file can be lost, or name a stranger), and
   * ends those whose namespace has no name any more: they would keep it alive for nobody. Those of a container, which has
   * the same paths in files of its own, are not ours to end.
   */
  async adopt(netnsByInode: ReadonlyMap<number, string>): Promise<void> {
    const ours = `--pid-file=${this.#directory}/`
    const found = listProcesses((args) => args.some((argument) => argument.startsWith(ours)))
    const taken = found.map(async ({ netnsInode, arguments: [, ...args], ...id }) => {
      const netns = netnsByInode.get(netnsInode)
      // A service manager may give each run of ours another mount namespace: in a namespace of ours that tells nothing.
      if (!sharesNamespaces(id, ['pid'])) return
      if (netns === undefined || this.#running.has(netns)) {
        if (sharesNamespaces(id, ['mnt'])) await endProcess(id)
        return
      }
      const own = args.filter((argument) => !HOST_ARGUMENTS.has(argument))
      this.#running.set(netns, { ...id, arguments: own, files: undefined })
    })
    await Promise.all(taken)
  }

  running(netns: string): ObservedDnsmasq | undefined {
    const running = this.#running.get(netns)
    if (running === undefined || isAlive(running)) return running
    this.#running.delete(netns)
    return undefined
  }

  /** @throws HostError when it does not come up, with the last lines of its log, and at once while it would be too early to
   *  try again */
  async start(netns: string, dnsmasq: Dnsmasq): Promise<void> {
    await this.#stopped(netns)
    this.#backoff.check(netns, dnsmasq.arguments)
    writeDnsmasqFiles(dnsmasq, Math.floor(Date.now() / 1000), true)
    rmSync(join(dnsmasq.directory, 'pid'), { force: true })
    const child = spawnInside(netns, dnsmasq)
    const ended = new Promise<string>((resolve) => {
      child.once('error', (cause) => resolve(startError('dnsmasq', cause).message))
      child.once('exit', (code, signal) => resolve(`it ended with ${signal ?? `exit code ${code}`}`))
    })
    const failure = await Promise.race([ended, isBound(dnsmasq.directory)])
    const id = child.pid === undefined ? undefined : processId(child.pid)
    if (failure !== undefined || id === undefined)
      throw this.#failed(netns, dnsmasq, child, failure ?? 'it ended at once')
    this.#running.set(netns, { ...id, arguments: dnsmasq.arguments, files: dnsmasq.files })
    this.#backoff.started(netns)
    // What goes wrong in taking note of its end changes nothing about it, and the next look finds it.
    ended.then((how) => this.#ended(netns, id, dnsmasq, how)).catch(() => undefined)
  }

  /** Writes the files and lets it read them again. Leases it reads at its start only, so it is started anew when some of
   *  them have to go. */
  async reload(netns: string, dnsmasq: Dnsmasq): Promise<void> {
    const running = this.#running.get(netns)
    if (running === undefined) throw new HostError(`dnsmasq of ${netns} does not run`)
    if (hasStaleLeases(dnsmasq)) {
      await this.stop(netns)
      return this.start(netns, dnsmasq)
    }
    writeDnsmasqFiles(dnsmasq, Math.floor(Date.now() / 1000), false)
    signalProcess(running, 'SIGHUP')
    this.#running.set(netns, { ...running, files: dnsmasq.files })
  }

  /** Resolves when it is gone, or soon: one that does not listen keeps nobody waiting, and is ended in the background. */
  stop(netns: string): Promise<void> {
    const running = this.#running.get(netns)
    if (running === undefined) return this.#stopping.get(netns)?.waited ?? Promise.resolve()
    this.#running.delete(netns)
    const gone = endProcess(running).finally(() => this.#stopping.delete(netns))
    const waited = Promise.race([gone, delay(END_MILLISECONDS, undefined, { ref: false })])
    this.#stopping.set(netns, { gone, waited })
    return waited
  }

  /** Resolves when all that were to be stopped are gone. */
  async settle(): Promise<void> {
    await Promise.allSettled([...this.#stopping.values()].map(({ gone }) => gone))
  }

  /** Networks of which something is kept on disk. */
  networks(): ReadonlySet<string> {
    if (!existsSync(this.#directory)) return new Set()
    const entries = readdirSync(this.#directory, { withFileTypes: true })
    return new Set(entries.filter((entry) => entry.isDirectory()).map(({ name }) => name))
  }

  /** Deletes what is kept of a network. */
  forget(network: string): void {
    rmSync(join(this.#directory, network), { recursive: true, force: true })
  }

  /** @throws HostError when the one before has not ended yet. Its end is told as any other, and calls for the next try. */
  async #stopped(netns: string): Promise<void> {
    await this.#stopping.get(netns)?.waited
    const stopping = this.#stopping.get(netns)
    if (stopping === undefined) return
    const tell = () => this.#onExit(netns)
    stopping.gone.then(tell, tell)
    throw new HostError('the one before has been told to end, and still runs')
  }

  #failed(netns: string, dnsmasq: Dnsmasq, child: ChildProcess, failure: string): HostError {
    // One that never started has the number 0, and a signal to that reaches all of our process group.
    if (child.pid !== undefined) child.kill('SIGKILL')
    const reason = [failure, logTail(dnsmasq.directory)].filter(Boolean).join(': ')
    this.#backoff.failed(netns, dnsmasq.arguments, reason)
    return new HostError(reason)
  }

  #ended(netns: string, id: ProcessId, dnsmasq: Dnsmasq, how: string): void {
    if (this.#running.get(netns)?.pid !== id.pid) return
    this.#running.delete(netns)
    this.#backoff.ended(netns, dnsmasq.arguments, [how, logTail(dnsmasq.directory)].filter(Boolean).join(': '))
    this.#onExit(netns)
  }
}

/** A child that is started inside the section stays in the namespace. */
function spawnInside(netns: string, { directory, arguments: args }: Dnsmasq): ChildProcess {
  const log = openLog(directory)
  try {
    return inNamespace<ChildProcess>(netnsPath(netns), () => {
      const child = spawn('dnsmasq', [...args, ...FOREGROUND, ...userArguments(directory)], {
        detached: true,
        cwd: '/',
        stdio: ['ignore', log, log],
      })
      child.unref()
      return child
    })
  } finally {
    closeSync(log)
  }
}

/** A log of this run; the one before is kept beside it. */
function openLog(directory: string): number {
  const path = join(directory, 'log')
  if (existsSync(path)) renameSync(path, `${path}.1`)
  return openSync(path, 'a', 0o600)
}

/** @returns nothing when there is no log: somebody may have deleted it */
function logTail(directory: string): string {
  try {
    return lastLines(readFileSync(join(directory, 'log'), 'utf8'), 2)
  } catch {
    return ''
  }
}

/** @returns undefined when it is, what is wrong when that takes too long */
async function isBound(directory: string): Promise<string | undefined> {
  const end = performance.now() + START_MILLISECONDS
  while (performance.now() < end) {
    if (existsSync(join(directory, 'pid'))) return undefined
    await delay(POLL_MILLISECONDS)
  }
  return `it is not ready after ${START_MILLISECONDS / 1000} s`
}
