import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Backoff } from '../backoff.ts'
import { HostError } from '../errors.ts'
import type { ObservedProgram } from '../host.ts'
import type { Program } from '../namespace.ts'
import { netnsInode, netnsPath } from '../netns.ts'
import { endProcess, isThere, netnsOf, type ProcessId, sharesNamespaces, signalProcess } from '../process.ts'
import { findPrograms } from './adopted.ts'
import { forgetReader, noteReader, sweepDirectories } from './files.ts'
import { KINDS, kindOf, RELIEF_SIGNAL } from './kinds.ts'
import { checkFiles, failureOf, launch } from './spawn.ts'
import { subdirectoriesReader } from './subdirectories.ts'

/** How long the end of one is waited for: more than it needs, and little enough for the other namespaces to wait. */
const END_MILLISECONDS = 500
/** How long one that is relieved may go on with what it has begun: more than its own time limits allow. */
const RELIEVED_MILLISECONDS = 60_000
/** Nobody is told of the end of a process that is no child of his. */
const ADOPTED_CHECK_MILLISECONDS = 1_000

interface Running extends ProcessId, ObservedProgram {
  readonly netns: string
  readonly directory: string
  /** See `Kind.setting`. */
  readonly setting: readonly string[]
  readonly isAdopted: boolean
}

interface Stopping {
  readonly gone: Promise<void>
  /** Resolves when it is gone, or has taken too long. */
  readonly waited: Promise<void>
}

type ProgramKind = Program['kind']
const PROGRAM_KINDS = Object.keys(KINDS) as readonly ProgramKind[]

/** Told of a program that ended by itself, and how. */
export type OnExit = (netns: string, kind: ProgramKind, how: string) => void

/**
 * The programs of each namespace, at most one of a kind. They are processes of their own session that outlive us, since
 * guests need their leases renewed and their requests answered while we restart; the next run adopts them.
 */
export class KeptPrograms {
  readonly #running = new Map<string, Running>()
  readonly #stopping = new Map<string, Stopping>()
  /** Those that another has relieved, until they have finished. */
  readonly #relieved = new Map<string, readonly ProcessId[]>()
  readonly #backoff = new Backoff()
  readonly #statePath: string
  readonly #networks: () => ReadonlySet<string>
  readonly #onExit: OnExit
  readonly #adoptedCheck: NodeJS.Timeout

  /** @param statePath  absolute */
  constructor(statePath: string, onExit: OnExit) {
    this.#statePath = statePath
    this.#networks = subdirectoriesReader(join(statePath, KINDS.dnsmasq.folder))
    this.#onExit = onExit
    this.#adoptedCheck = setInterval(() => this.#checkAdopted(), ADOPTED_CHECK_MILLISECONDS).unref()
  }

  /**
   * Takes over those an earlier run started, and ends those whose namespace has no name any more: they would keep it alive
   * for nobody. Those of a container, which has the same paths in files of its own, are not ours to end.
   */
  async adopt(netnsByInode: ReadonlyMap<number, string>): Promise<void> {
    const unwanted: ProcessId[] = []
    for (const { netnsInode, parent: _, ...found } of findPrograms(this.#statePath)) {
      const netns = netnsByInode.get(netnsInode)
      // A service manager may give each run of ours another mount namespace: in a namespace of ours that tells nothing.
      if (!sharesNamespaces(found, ['pid'])) continue
      if (netns !== undefined && !this.#running.has(keyOf(netns, found.kind)))
        this.#running.set(keyOf(netns, found.kind), { ...found, netns, isAdopted: true })
      else if (sharesNamespaces(found, ['mnt'])) unwanted.push(found)
    }
    await Promise.all(unwanted.map((id) => endProcess(id)))
    const used = new Set([...this.#running.values()].map(({ directory }) => directory))
    for (const { folder, check, keepsFiles } of Object.values(KINDS))
      if (check !== undefined && !keepsFiles)
        sweepDirectories(join(this.#statePath, folder), check.file, (directory) => used.has(directory))
  }

  running(netns: string): readonly ObservedProgram[] {
    return PROGRAM_KINDS.flatMap((kind) => {
      const running = this.#running.get(keyOf(netns, kind))
      // What it costs is paid for every program at every look. Of a child, and of a zombie, the end is about to be told.
      if (running === undefined || !running.isAdopted || isThere(running)) return running ?? []
      this.#ended(running, 'it ended')
      return []
    })
  }

  /** @throws HostError when it does not come up, with the last lines of its log, and at once while it would be too early to
   *  try again */
  async start(netns: string, program: Program): Promise<void> {
    await this.#stopped(netns, program.kind)
    this.#backoff.check(keyOf(netns, program.kind), kindOf(program).setting(program))
    await this.#launch(netns, program)
  }

  /** For one that runs with other arguments, or has to read its files from the beginning. While it could not read them the
   *  one that runs stays. */
  async restart(netns: string, program: Program): Promise<void> {
    await this.#check(netns, program)
    const key = keyOf(netns, program.kind)
    const before = this.#running.get(key)
    if (before === undefined || kindOf(program).onChange(program) !== 'relieve') {
      await this.stop(netns, program.kind)
      return this.start(netns, program)
    }
    await this.#launch(netns, program)
    this.#relieve(key, before)
  }

  /** For one in whose place something else serves already: it finishes what it has begun, which nobody waits for. */
  relieve(netns: string, kind: ProgramKind): void {
    const key = keyOf(netns, kind)
    const running = this.#running.get(key)
    if (running === undefined) return
    this.#running.delete(key)
    // It has read its files, and the next of its kind has them here too.
    if (!KINDS[kind].keepsFiles) rmSync(running.directory, { recursive: true, force: true })
    this.#relieve(key, running)
  }

  /** Writes the files and lets it read them again. */
  async reload(netns: string, program: Program): Promise<void> {
    const key = keyOf(netns, program.kind)
    if (!this.#running.has(key)) throw new HostError(`${program.kind} of ${netns} does not run`)
    const kind = kindOf(program)
    if (kind.onChange(program) !== 'reread') return this.restart(netns, program)
    await this.#check(netns, program)
    kind.write(program, false)
    const running = this.#running.get(key)
    if (running === undefined) return // it ended meanwhile, which has been told
    signalProcess(running, 'SIGHUP')
    this.#running.set(key, { ...running, files: { ...program.files }, setting: kind.setting(program) })
  }

  /** Resolves when it is gone, or soon: one that does not listen keeps nobody waiting, and is ended in the background. */
  stop(netns: string, kind: ProgramKind): Promise<void> {
    const key = keyOf(netns, kind)
    const running = this.#running.get(key)
    const processes = [...(running === undefined ? [] : [running]), ...(this.#relieved.get(key) ?? [])]
    if (processes.length === 0) return this.#stopping.get(key)?.waited ?? Promise.resolve()
    this.#running.delete(key)
    const gone = Promise.all(processes.map((id) => endProcess(id)))
      .then(() => {
        if (running !== undefined && !KINDS[kind].keepsFiles)
          rmSync(running.directory, { recursive: true, force: true })
      })
      .finally(() => this.#stopping.delete(key))
    const waited = Promise.race([gone, delay(END_MILLISECONDS, undefined, { ref: false })])
    this.#stopping.set(key, { gone, waited })
    return waited
  }

  async stopAll(netns: string): Promise<void> {
    await Promise.all(PROGRAM_KINDS.map((kind) => this.stop(netns, kind)))
  }

  /** Resolves when all that were to be stopped are gone. */
  async settle(): Promise<void> {
    await Promise.allSettled([...this.#stopping.values()].map(({ gone }) => gone))
  }

  /** Looks after them no more. They run on. */
  close(): void {
    clearInterval(this.#adoptedCheck)
  }

  /** Networks of which leases are kept on disk. */
  networks(): ReadonlySet<string> {
    return this.#networks()
  }

  /** Deletes the leases of a network. */
  forget(network: string): void {
    rmSync(join(this.#statePath, KINDS.dnsmasq.folder, network), { recursive: true, force: true })
  }

  /** @throws HostError when the one before has not ended yet. Its end is told as any other, and calls for the next try. */
  async #stopped(netns: string, kind: ProgramKind): Promise<void> {
    const key = keyOf(netns, kind)
    await this.#stopping.get(key)?.waited
    const stopping = this.#stopping.get(key)
    if (stopping === undefined) return
    const tell = () => this.#onExit(netns, kind, 'it ended at last')
    stopping.gone.then(tell, tell)
    throw new HostError('the one before has been told to end, and still runs')
  }

  /** @throws HostError with what it says is wrong with its files, after that at once until it may be asked again */
  async #check(netns: string, program: Program): Promise<void> {
    const key = keyOf(netns, program.kind)
    const setting = kindOf(program).setting(program)
    this.#backoff.check(key, setting)
    const problem = await checkFiles(program)
    if (problem === undefined) return
    this.#backoff.failed(key, setting, problem)
    throw new HostError(problem)
  }

  /** @throws HostError when it does not come up */
  async #launch(netns: string, program: Program): Promise<void> {
    const { kind, directory, arguments: args, files } = program
    const key = keyOf(netns, kind)
    const setting = kindOf(program).setting(program)
    forgetReader(directory)
    kindOf(program).write(program, true)
    const launched = await launch(netns, program)
    if ('failure' in launched) {
      this.#backoff.failed(key, setting, launched.failure)
      throw new HostError(launched.failure)
    }
    const { ended, ...id } = launched
    if (netnsOf(id.pid) !== netnsInode(netnsPath(netns))) {
      await endProcess(id)
      throw new HostError('the namespace was deleted meanwhile')
    }
    if (kindOf(program).onChange(program) === 'relieve') noteReader(directory, id)
    const running = { ...id, netns, kind, directory, arguments: args, files: { ...files }, setting, isAdopted: false }
    this.#running.set(key, running)
    this.#backoff.started(key)
    // What goes wrong in taking note of its end changes nothing about it, and the next look finds it.
    ended.then((how) => this.#ended(running, how)).catch(() => undefined)
  }

  #relieve(key: string, before: ProcessId): void {
    const others = () => (this.#relieved.get(key) ?? []).filter((each) => each !== before)
    this.#relieved.set(key, [...others(), before])
    const forget = () => {
      const left = others()
      if (left.length === 0) this.#relieved.delete(key)
      else this.#relieved.set(key, left)
    }
    const ending = { signal: RELIEF_SIGNAL, patienceMilliseconds: RELIEVED_MILLISECONDS, ref: false } as const
    endProcess(before, ending).then(forget, forget)
  }

  #checkAdopted(): void {
    for (const running of this.#running.values())
      if (running.isAdopted && !isThere(running)) this.#ended(running, 'it ended')
  }

  /** @param running  as it was when it started */
  #ended({ netns, kind, pid, directory }: Running, how: string): void {
    const key = keyOf(netns, kind)
    const running = this.#running.get(key)
    if (running?.pid !== pid) return
    this.#running.delete(key)
    const reason = failureOf(kind, directory, how)
    this.#backoff.ended(key, running.setting, reason)
    this.#onExit(netns, kind, reason)
  }
}

function keyOf(netns: string, kind: ProgramKind): string {
  return `${kind} ${netns}`
}
