import { type ChildProcess, execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { guestRootPath } from '../../bootstrap/guest-root.js'
import type { TestMachine } from './test-machine.ts'

/** A guest without a kernel of its own: Debian's root, real ds-identify, dhclient, ifupdown and all four stages of
 *  unmodified cloud-init in namespaces, on an overlay that goes with it. */
export interface LightInstance {
  /** Runs a program in it, as its root. @returns what the program wrote */
  run(...command: readonly string[]): string
  read(path: string): string
  stop(): Promise<void>
}

/** What the boot left behind, read from inside. */
export interface BootEvidence {
  /** `DataSourceOpenStackLocal [net,ver=2]` */
  readonly datasource: string
  readonly errors: readonly string[]
  readonly hostname: string
  /** As cloud-init names them, in the order in which they began. */
  readonly stages: readonly string[]
  /** What cloud-init asked for and got, in order: `200 /openstack`. */
  readonly requests: readonly string[]
}

const BOOT = fileURLToPath(new URL('light-instance.sh', import.meta.url))
const BOOT_MILLISECONDS = 180_000 // 3 s on an idle machine, where it boots alone

/**
 * Boots an instance and waits for the end of cloud-init's last stage.
 * @param netns  a namespace of the machine that holds `eth0`, left down: cloud-init raises it
 * @param files  what this instance's image has beside or in place of the root's files: path from `/` to text
 * @throws with the tail of its logs when it does not come up within 3 minutes
 */
export async function bootLightInstance(
  machine: TestMachine,
  netns: string,
  files: Readonly<Record<string, string>> = {},
): Promise<LightInstance> {
  const namespaces = ['--mount', '--uts', '--ipc', '--pid', '--fork', '--kill-child']
  const own = writeFiles(files)
  const outer = machine.start(
    ['ip', 'netns', 'exec', netns, 'unshare', ...namespaces, '--', BOOT, guestRootPath(), own],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  let complaints = ''
  outer.stderr?.on('data', (chunk) => {
    complaints += chunk
  })
  const isBooted = await stagesEnd(outer, AbortSignal.timeout(BOOT_MILLISECONDS))
  rmSync(own, { recursive: true })
  const init = initBelow(outer)
  if (init === undefined) throw new Error(`The light instance did not start: ${complaints}`)
  const instance = handle(outer, init)
  if (isBooted) return instance
  const log = instance.run('tail', '-n', '40', '/var/log/light-init.log', '/var/log/cloud-init.log')
  await instance.stop()
  throw new Error(`The light instance did not boot within ${BOOT_MILLISECONDS} ms:\n${log}`)
}

/** Reads what a booted instance tells about its boot. */
export function bootEvidence(instance: LightInstance): BootEvidence {
  const { v1: result } = JSON.parse(instance.read('/run/cloud-init/result.json')) as {
    v1: { datasource: string; errors: string[] }
  }
  const log = instance.read('/var/log/cloud-init.log')
  return {
    datasource: result.datasource,
    errors: result.errors,
    hostname: instance.run('hostname').trim(),
    stages: Array.from(log.matchAll(/Cloud-init v\. \S+ running '([^']+)'/g), ([, stage]) => stage ?? ''),
    requests: Array.from(log.matchAll(REQUEST), ([, path, status]) => `${status} ${path}`),
  }
}

const REQUEST = /Read from http:\/\/[^/\s]+(\/\S*) \((\d+), \d+b\)/g

/** @returns the directory that holds them, for the caller to remove */
function writeFiles(files: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(tmpdir(), 'firstboot-image-'))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true, mode: 0o755 })
    writeFileSync(join(directory, path), text)
  }
  return directory
}

function handle(outer: ChildProcess, init: number): LightInstance {
  const namespaces = ['--net', '--mount', '--uts', '--ipc', '--pid', '--root', '--wd']
  const entry = [
    '--target',
    String(init),
    ...namespaces,
    '--',
    '/usr/bin/env',
    '-i',
    'PATH=/usr/sbin:/usr/bin:/sbin:/bin',
  ]
  const run = (...command: readonly string[]) => execFileSync('nsenter', [...entry, ...command], { encoding: 'utf8' })
  return {
    run,
    read: (path) => run('cat', path),
    async stop() {
      if (outer.exitCode !== null || outer.signalCode !== null) return
      const ended = once(outer, 'exit')
      process.kill(init, 'SIGKILL') // process 1: the kernel ends the rest
      await ended
    },
  }
}

/** Whether light-init told the end of its last stage before it ended or the time was up. */
async function stagesEnd(outer: ChildProcess, signal: AbortSignal): Promise<boolean> {
  const lines = createInterface({ input: outer.stdout ?? process.stdin, signal })
  for await (const line of lines) if (line.startsWith('final: ')) return true
  return false
}

/** The first process below this one that is process 1 of a PID namespace. */
function initBelow(process: ChildProcess): number | undefined {
  let pid = process.pid
  while (pid !== undefined) {
    if (/^NSpid:.*\t1$/m.test(readFileSync(`/proc/${pid}/status`, 'ascii'))) return pid
    const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'ascii').split(' ')
    pid = child ? Number(child) : undefined
  }
  return undefined
}
