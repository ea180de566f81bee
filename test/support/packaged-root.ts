import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startedBelow } from './daemon.ts'
import { eventually } from './eventually.ts'
import type { TestMachine } from './test-machine.ts'

/**
 * This machine's root once more, with systemd as process 1, to install things in and to run them as units. It shares the
 * test machine's network. What is written there lies in memory and goes with the test machine.
 */
export interface PackagedRoot {
  /** @returns what the program wrote @throws with its exit code and what it said on standard error */
  run(...command: readonly string[]): string
  /** @returns what it wrote to either of its outputs, also when it failed, and whether it did not */
  try(...command: readonly string[]): { readonly isWell: boolean; readonly said: string }
  /** Brings a file into its /root. @returns the path within */
  bring(file: string): string
  /** Writes a file, and the folders above it. */
  write(path: string, text: string): void
  /** Ends it, and everything in it. */
  stop(): Promise<void>
}

const BOOT = fileURLToPath(new URL('boot-systemd.sh', import.meta.url))

/** Devices that programs expect, and what instances are made with. */
const DEVICES = ['null', 'zero', 'full', 'random', 'urandom', 'tty', 'net/tun']
const DEVICE_LINKS = [
  ['pts/ptmx', 'ptmx'],
  ['/proc/self/fd', 'fd'],
] as const

/** What this machine has enabled is for this machine, as is what looks for disks to mount. A policy-rc.d, as images of
 *  containers have it, forbids packages to stop their services; the index of manual pages is slow to make anew. */
const LEFT_OUT = [
  ...['etc', 'lib'].map((place) => `${place}/systemd/system/*.wants`),
  ...['etc', 'lib'].map((place) => `${place}/systemd/system/*.requires`),
  ...['etc', 'lib'].map((place) => `${place}/systemd/system-generators`),
  'usr/sbin/policy-rc.d',
  'var/lib/man-db/auto-update',
]

/** @throws when systemd does not come up */
export async function openPackagedRoot(machine: TestMachine): Promise<PackagedRoot> {
  const root = layOut(machine)
  const boot = machine.start([BOOT, root], { stdio: ['ignore', 'ignore', 'pipe'] })
  const ended = new Promise((resolve) => boot.once('exit', resolve))
  let said = ''
  boot.stderr?.setEncoding('utf8').on('data', (text) => {
    said += text
  })
  const pid = await systemdBelow(boot.pid).catch((cause) => {
    throw new Error(`systemd does not start: ${said}`, { cause })
  })
  const entry = ['--target', String(pid), '--mount', '--cgroup', '--net', '--uts', '--pid', '--root', '--wd', '--']
  const inside = (command: readonly string[]) => [...entry, 'env', '-i', `PATH=${PATH}`, 'HOME=/root', ...command]
  const run = (command: readonly string[], input = '') =>
    execFileSync('nsenter', inside(command), { encoding: 'utf8', input, stdio: ['pipe', 'pipe', 'pipe'] })
  const attempt = (...command: readonly string[]) => {
    // Both outputs are one file, so that they stay in order.
    const merged = inside(['sh', '-c', '"$@" 2>&1', 'sh', ...command])
    const { status, stdout } = spawnSync('nsenter', merged, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
    return { isWell: status === 0, said: stdout }
  }
  await eventually('systemd is up', () => attempt('systemctl', 'is-system-running').said === 'running\n', 60_000)
  run(['systemctl', 'start', 'systemd-journald.service'])
  return {
    run: (...command) => run(command),
    try: attempt,
    bring: (file) => {
      const path = join('/root', basename(file))
      machine.run('cp', file, join(root, path))
      return path
    },
    write: (path, text) => {
      run(['mkdir', '--parents', dirname(path)])
      run(['tee', path], text)
    },
    stop: async () => {
      process.kill(pid, 'SIGKILL')
      await ended
    },
  }
}

const PATH = '/usr/sbin:/usr/bin:/sbin:/bin'

/** @returns the root, as the test machine sees it */
function layOut(machine: TestMachine): string {
  const base = '/mnt' // the machine's own, and not the /tmp that it shares
  const [upper, work, root] = ['upper', 'work', 'root'].map((name) => join(base, name)) as [string, string, string]
  machine.run('mount', '-t', 'tmpfs', 'tmpfs', base)
  machine.run('mkdir', upper, work, root)
  machine.run('mount', '-t', 'overlay', 'overlay', '-o', `lowerdir=/,upperdir=${upper},workdir=${work}`, root)
  for (const empty of ['run', 'tmp', 'dev']) machine.run('mount', '-t', 'tmpfs', 'tmpfs', join(root, empty))
  for (const name of DEVICES) {
    machine.run('install', '-D', '/dev/null', join(root, 'dev', name))
    machine.run('mount', '--bind', join('/dev', name), join(root, 'dev', name))
  }
  for (const [target, name] of DEVICE_LINKS) machine.run('ln', '-s', target, join(root, 'dev', name))
  for (const pattern of LEFT_OUT) machine.run('sh', '-c', `rm -rf "$1"/${pattern}`, 'sh', root)
  // Without one, systemd enables all there is.
  machine.run('sh', '-c', 'echo 0f1e2d3c4b5a69788796a5b4c3d2e1f0 >"$1"', 'sh', join(root, 'etc/machine-id'))
  return root
}

/** Behind nsenter, the script, and unshare. @returns its process id here */
async function systemdBelow(nsenter: number | undefined): Promise<number> {
  const found = () => startedBelow(startedBelow(startedBelow(nsenter)))
  await eventually('systemd starts', () => comm(found()) === 'systemd', 60_000)
  return found() ?? Number.NaN
}

function comm(pid: number | undefined): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'ascii').trim()
  } catch {
    return undefined
  }
}
