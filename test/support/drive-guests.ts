import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { guestKernelPath, guestKernelProblem } from '../../bootstrap/guest-kernel.js'
import { guestRootPath, guestRootProblem } from '../../bootstrap/guest-root.js'
import { readDrive } from '../../src/cli/config-drive/documents.ts'
import { type Daemon, firstboot, startDaemon } from './daemon.ts'
import { writeInitrd } from './guest-initrd.ts'
import { openTestMachine, type TestMachine } from './test-machine.ts'

/** A virtual machine that is to boot from a config drive. */
export interface DriveGuest {
  readonly name: string
  readonly id: string
  /** Options of `config-drive build` for its drive; without them the hypervisor builds it at the start. */
  readonly build?: readonly string[]
}

/** Virtual machines under TCG, as `hypervisor: qemu` runs them, on a machine of their own. */
export interface DriveGuests {
  readonly machine: TestMachine
  readonly state: string
  /** Starts another `firstboot up`. Resolves when it is. */
  readonly up: () => Promise<Daemon>
  /** The `firstboot up` that started them. */
  readonly daemon: Daemon
  /** Where the config drive of a guest is. */
  readonly drive: (guest: DriveGuest) => string
  /** What a guest has printed in lines that begin with the word, without it. */
  readonly said: (guest: DriveGuest, word: string) => string[]
  readonly isDone: (guest: DriveGuest) => boolean
  stop(): Promise<void>
}

export const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJgHZ2qBq0mtqtKkPb5a1o1FQq8sQm9mXk0kq2m2kq2m'

/** Why none can be started here, if so. */
export function driveGuestsProblem(): string | undefined {
  return guestRootProblem() ?? guestKernelProblem()
}

const GUEST = new URL('guest-machine/', import.meta.url)

/** Resolves when they have been started. */
export async function startDriveGuests(guests: readonly DriveGuest[]): Promise<DriveGuests> {
  const folder = mkdtempSync(join(tmpdir(), 'firstboot-vm-'))
  const state = join(folder, 'state')
  writeDisks(folder)
  writeFileSync(join(folder, 'inventory.yaml'), inventoryText(folder, guests))
  const machine = await openTestMachine()
  const run = (...args: readonly string[]) => machine.run(...firstboot(...args, '--state-dir', state))
  run('apply', '-f', join(folder, 'inventory.yaml'))
  for (const { name, build } of guests) if (build !== undefined) run('config-drive', 'build', name, ...build)
  const up = async () => {
    const daemon = startDaemon(machine, 'up', '--state-dir', state)
    await daemon.saying('firstboot is up')
    return daemon
  }
  const daemon = await up()
  const lines = ({ id }: DriveGuest) => {
    const path = join(state, 'machines', id, 'console.log')
    return existsSync(path) ? readFileSync(path, 'utf8').replaceAll('\r', '').split('\n') : []
  }
  return {
    machine,
    state,
    up,
    daemon,
    drive: ({ id }) => join(state, 'machines', id, 'disk.config'),
    said: (guest, word) =>
      lines(guest).flatMap((line) => (line.startsWith(`${word} `) ? [line.slice(word.length + 1)] : [])),
    isDone: (guest) => lines(guest).includes('done'),
    async stop() {
      await machine.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** What a drive holds, as a guest prints it after `file`. */
export function drivePrints(path: string): string[] {
  return Array.from(readDrive(path).documents, ([file, body]) => {
    const digest = createHash('sha256').update(body).digest('hex')
    return `${digest} ${file}`
  }).toSorted()
}

function writeDisks(folder: string): void {
  const support = (name: string) => readFileSync(new URL(name, GUEST), 'utf8')
  const disk = join(folder, 'root.raw')
  execFileSync('/sbin/mke2fs', ['-q', '-t', 'ext4', '-O', '^has_journal', '-d', guestRootPath(), disk, '700M'])
  writeInitrd(join(folder, 'initrd'), {
    init: support('init'),
    'files/machine-init': support('machine-init'),
    'files/99-machine.cfg': support('99-machine.cfg'),
  })
}

const COMMAND_LINE =
  'console=ttyS0 quiet panic=-1 net.ifnames=0 mitigations=off audit=0 apparmor=0 tsc=reliable no_timer_check random.trust_cpu=on nokaslr'

function inventoryText(folder: string, guests: readonly DriveGuest[]): string {
  const at = (path: string) => ({ direct_url: `file://${path}` })
  return JSON.stringify({
    networks: [{ name: 'n', subnets: [{ cidr: '10.44.0.0/24' }] }],
    flavors: [{ name: 'tiny', ram: 384, disk: 0 }],
    keypairs: [{ name: 'alice', public_key: KEY }],
    images: [
      { name: 'kernel', properties: at(join(guestKernelPath(), 'vmlinuz')) },
      { name: 'initrd', properties: at(join(folder, 'initrd')) },
      {
        name: 'root',
        kernel_id: 'kernel',
        ramdisk_id: 'initrd',
        properties: { ...at(join(folder, 'root.raw')), os_command_line: COMMAND_LINE },
      },
    ],
    servers: guests.map(({ name, id }) => ({
      name,
      id,
      hypervisor: 'qemu',
      config_drive: true,
      key_name: 'alice',
      image: 'root',
      personality: [{ path: '/etc/injected', contents: `for ${name}\n` }],
    })),
  })
}
