import { fileURLToPath } from 'node:url'
import { startService } from './daemon.ts'
import { eventually } from './eventually.ts'
import type { TestMachine } from './test-machine.ts'

const LIBVIRTD = fileURLToPath(new URL('libvirtd.sh', import.meta.url))

/** It asks every emulator what that can do: 8 s on an idle machine. */
const START_MILLISECONDS = 120_000

/** Runs virsh. @returns what it wrote @throws when it fails */
export type Virsh = (...words: readonly string[]) => string

/**
 * A libvirtd of the test machine's own. Resolves when it answers.
 * @param folder  for its pid file
 * @throws with what it said, when it does not answer
 */
export async function startLibvirt(machine: TestMachine, folder: string): Promise<Virsh> {
  const virsh: Virsh = (...words) => machine.run('virsh', '--quiet', '-c', 'qemu:///system', ...words)
  const { said } = startService(machine, [LIBVIRTD, folder])
  const answers = () => {
    if (said().includes('initialization failed')) throw new Error('it has given up')
    return succeeds(() => virsh('list'))
  }
  await eventually('libvirt answers', answers, START_MILLISECONDS).catch((cause: Error) => {
    throw new Error(`libvirtd: ${cause.message}. It said:\n${said()}`, { cause })
  })
  return virsh
}

function succeeds(act: () => unknown): boolean {
  try {
    act()
    return true
  } catch {
    return false
  }
}
