import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { text, truth } from '../config/option.ts'
import { logOptions } from '../config/options/daemon.ts'
import { datapathOptions } from '../config/options/datapath.ts'
import { documentOptions } from '../config/options/documents.ts'
import { labDirectory, trustedLabDirectory } from '../config/options/state.ts'
import { ownCommand } from '../daemons/own-command.ts'
import { rememberSandbox } from '../daemons/running-sandbox.ts'
import { acquireLock, LockTaken } from '../host/lock.ts'
import { enterSandbox } from '../host/sandbox.ts'
import { command } from './command.ts'
import { LAB_STATE } from './lab/inner.ts'
import { runLab } from './lab/run.ts'

const EXAMPLE = fileURLToPath(new URL('../../examples/lab.yaml', import.meta.url))

export const lab = command({
  usage: '',
  description:
    'Brings up the networks and guests of an inventory file in a sandbox of its own and shows each guest’s first boot as it happens: the lease, the route, every request, the hostname it read. Then it checks what each guest was told against its record, says what to try next, and stays up. Nothing outside the sandbox is touched, and nothing stays behind. Needs no root where the kernel allows unprivileged user namespaces. This is what npm start runs.',
  options: {
    file: text('FILE', EXAMPLE, 'The inventory file.', { short: 'f' }),
    once: truth(false, 'End when every guest has booted: exit code 0 when all was right, 1 when not.'),
    ...documentOptions,
    ...datapathOptions,
    log_level: { ...logOptions.log_level, default: 'warn' as const },
  },
  examples: [
    ['npm start', 'two networks with the same addresses, two guests each'],
    ['npm start -- --once', 'the same, and end'],
    ['npm start -- -f my.yaml', 'your own file; servers with hypervisor: namespace are started'],
  ],
  run: async (given) => {
    const { env } = given
    const inner = env[LAB_STATE]
    if (inner !== undefined) return runLab(inner, given)
    const directory = labDirectory()
    const release = lockLab(directory)
    try {
      sweep(directory)
      return await enterSandbox(ownCommand('lab', ...innerArguments(given.values)), {
        env: { ...env, [LAB_STATE]: directory },
        onStarted: (pid) => rememberSandbox(directory, pid),
      })
    } finally {
      rmSync(directory, { recursive: true, force: true })
      release()
    }
  },
})

const LOCK = 'lock'

/** @throws Error when another lab of this user runs */
function lockLab(directory: string): () => void {
  const release = lockOnce(directory)
  if (existsSync(join(directory, LOCK))) return release
  // The lab that ended just now took its directory away while we waited at its door.
  release()
  return lockLab(directory)
}

function lockOnce(directory: string): () => void {
  mkdirSync(directory, { recursive: true, mode: 0o711 })
  trustedLabDirectory()
  try {
    return acquireLock(join(directory, LOCK))
  } catch (error) {
    if (!(error instanceof LockTaken)) throw error
    throw new Error(
      `a lab runs already (process ${error.pid}). Use it (firstboot exec --lab ...) or end it: kill ${error.pid}`,
    )
  }
}

/** A lab starts from nothing, and what a killed one left goes first. */
function sweep(directory: string): void {
  for (const name of readdirSync(directory))
    if (name !== LOCK) rmSync(join(directory, name), { recursive: true, force: true })
}

type LabValues = Parameters<typeof runLab>[1]['values']

/** The values again as flags; paths are made absolute since the inner process may be elsewhere. */
function innerArguments(values: LabValues): string[] {
  return Object.entries({ ...values, file: resolve(values.file) }).map(([name, value]) => {
    const flag = name.replaceAll('_', '-')
    if (typeof value === 'boolean') return value ? `--${flag}` : `--no-${flag}`
    return `--${flag}=${value}`
  })
}
