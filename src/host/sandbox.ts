import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync, readlinkSync } from 'node:fs'
import { constants } from 'node:os'
import type { Duplex } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { sandboxProblem, unshareArguments } from './sandbox-problem.ts'

/**
 * A throw-away machine: network, mount, UTS and PID namespaces of its own (and a user namespace where this process may
 * not make those), a fresh /run, `lo` up. The field's names (`qdhcp-...`) exist in it without meeting anything outside.
 *
 * What ends it: the command's end, SIGTERM or SIGHUP to this process, `signal`, and the death of this process by any
 * cause. Each closes the lifeline on which sandbox-init.sh listens (a parent-death signal would do worse: it misses a
 * parent that died before it was set, and cannot give the command time). Nothing of it outlives process 1.
 */

export interface SandboxOptions {
  /** The command's whole environment, our own when absent. FIRSTBOOT_SANDBOX=1 is added. */
  readonly env?: NodeJS.ProcessEnv
  /** Ends the sandbox: SIGTERM to the command, SIGKILL to everything 10 s later. */
  readonly signal?: AbortSignal
  /** Called when the command is about to run. @param pid  the sandbox's process 1, as this process sees it */
  readonly onStarted?: (pid: number) => void
}

export class SandboxError extends Error {
  override readonly name = 'SandboxError'
}

const INIT = fileURLToPath(new URL('sandbox-init.sh', import.meta.url))
const LIFELINE = 3

/**
 * Runs a command in a sandbox, on our own standard input and output.
 * @returns its exit code; 128 and the signal's number when a signal ended it
 * @throws SandboxError when no sandbox can be made here, with the remedy
 */
export async function enterSandbox(command: readonly string[], options: SandboxOptions = {}): Promise<number> {
  const asked = new AbortController()
  // Before the command exists: it may be ready, and Ctrl-C pressed, before this process gets its next turn.
  const letGo = endWith(() => asked.abort(), options.signal)
  const unshare = spawn('unshare', [...unshareArguments(), '/bin/sh', INIT, ...command], {
    env: options.env ?? process.env,
    stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
  })
  const ended = exitCode(unshare)
  const lifeline = unshare.stdio[LIFELINE] as Duplex
  let isReady = false
  lifeline.once('data', () => {
    isReady = true
    options.onStarted?.(childOf(unshare))
  })
  lifeline.on('error', () => {}) // the sandbox may be gone before we hang up
  asked.signal.addEventListener('abort', () => lifeline.destroy())
  if (asked.signal.aborted) lifeline.destroy()
  try {
    const code = await ended
    if (!isReady && !options.signal?.aborted)
      throw new SandboxError(sandboxProblem() ?? `unshare ended with exit code ${code} before the sandbox was ready`)
    return code
  } catch (cause) {
    throw cause instanceof SandboxError ? cause : new SandboxError(sandboxProblem() ?? String(cause), { cause })
  } finally {
    letGo()
    lifeline.destroy()
  }
}

/**
 * What to put before a command so that it runs in a running sandbox, in the present directory.
 * @param pid  the sandbox's process 1, as `onStarted` was told
 * @throws when there is no such process or it is somebody else's
 */
export function sandboxEntry(pid: number): string[] {
  const hasUserNamespace = readlinkSync(`/proc/${pid}/ns/user`) !== readlinkSync('/proc/self/ns/user')
  const user = hasUserNamespace ? ['--user', '--preserve-credentials'] : []
  // nsenter leaves a command in the root directory; its --wdns is too young to count on.
  const enter = 'cd "$0" && export FIRSTBOOT_SANDBOX=1 PATH="$PATH:/usr/sbin:/sbin" && exec "$@"'
  // Its root too: where we are in a chroot, the mount namespace begins outside of it, on the host's files.
  const namespaces = ['--net', '--mount', '--uts', '--pid', '--root', '--wd']
  return ['nsenter', '--target', String(pid), ...user, ...namespaces, '--', '/bin/sh', '-c', enter, process.cwd()]
}

/** Lets the ways in which a sandbox can be asked to end end it. @returns a function that stops listening */
function endWith(end: () => void, signal: AbortSignal | undefined): () => void {
  // At a terminal Ctrl-C has reached the command already (same process group), and what it means is the command's matter.
  const interrupt = () => process.stdin.isTTY || end()
  process.on('SIGTERM', end).on('SIGHUP', end).on('SIGINT', interrupt)
  signal?.addEventListener('abort', end)
  if (signal?.aborted) end()
  return () => {
    process.off('SIGTERM', end).off('SIGHUP', end).off('SIGINT', interrupt)
    signal?.removeEventListener('abort', end)
  }
}

function exitCode(child: ChildProcess): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  child.once('error', reject)
  child.once('exit', (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)))
  return promise
}

/** unshare forks once: its child is process 1 of the new PID namespace. */
function childOf(unshare: ChildProcess): number {
  return Number.parseInt(readFileSync(`/proc/${unshare.pid}/task/${unshare.pid}/children`, 'ascii'), 10)
}
