import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { errorCode, HostError } from './errors.ts'

/** The Debian package that has the program. */
const PACKAGES: Readonly<Record<string, string>> = {
  ip: 'iproute2',
  iptables: 'iptables',
  setpriv: 'util-linux',
  nft: 'nftables',
  dnsmasq: 'dnsmasq-base',
  radvd: 'radvd',
  haproxy: 'haproxy',
  genisoimage: 'genisoimage',
  mkisofs: 'genisoimage',
  xorrisofs: 'xorriso',
  'qemu-system-x86_64': 'qemu-system-x86',
  'qemu-img': 'qemu-utils',
  virsh: 'libvirt-clients',
}

/** Lines of standard error that a message carries. */
const LAST_LINES = 5

export interface ProgramOutput {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  /** For standard input. */
  readonly input?: string
  /** Starts it, in another namespace for one: `(start) => inNamespace(path, start)`. */
  readonly start?: (spawnIt: () => ChildProcess) => ChildProcess
}

/**
 * Runs a program to its end. Arguments are a list; no shell ever sees them.
 * @throws HostError when it cannot be started or exits with other than 0
 */
export async function runProgram(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<ProgramOutput> {
  const output = await captureProgram(program, args, options)
  if (output.exitCode === 0) return output
  throw new HostError(`\`${[program, ...args].join(' ')}\` exited with ${output.exitCode}: ${lastLines(output.stderr)}`)
}

/** Runs a program to its end, whatever its exit code, and whatever Ctrl-C at our terminal makes of us: who is ended tidies up
 *  by programs, and one that is broken off leaves half of what it was to do. @throws HostError when it cannot be started */
export async function captureProgram(
  program: string,
  args: readonly string[],
  { input = '', start = (spawnIt) => spawnIt() }: RunOptions = {},
): Promise<ProgramOutput> {
  const child = start(() => spawn(program, args, { stdio: 'pipe', detached: true })) as ChildProcessWithoutNullStreams
  // It may have no streams then, whatever the types say: for want of file descriptors.
  if (child.pid === undefined) throw startError(program, (await once(child, 'error'))[0])
  const ended = Promise.withResolvers<number>()
  child.once('close', (code, signal) =>
    code === null ? ended.reject(killedError(program, signal)) : ended.resolve(code),
  )
  child.stdin.on('error', () => undefined) // it ended without reading: the exit code says why
  child.stdin.end(input)
  const [exitCode, stdout, stderr] = await Promise.all([ended.promise, text(child.stdout), text(child.stderr)])
  return { exitCode, stdout, stderr }
}

export function startError(program: string, cause: unknown): HostError {
  const isMissing = errorCode(cause) === 'ENOENT'
  const mend = isMissing && PACKAGES[program]
  if (isMissing && !mend) return new HostError(`${program} cannot be started: there is no such program`, { cause })
  if (mend) return new HostError(`${program} is not installed: install the Debian package ${mend}`, { cause })
  return new HostError(`${program} cannot be started: ${String(cause)}`, { cause })
}

function killedError(program: string, signal: NodeJS.Signals | null): HostError {
  return new HostError(`${program} was ended by ${signal}`)
}

export function lastLines(output: string, count = LAST_LINES): string {
  return output.trim().split('\n').slice(-count).join(' | ')
}
