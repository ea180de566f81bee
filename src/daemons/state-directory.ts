import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { link, mkdir, open, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { unreadable } from './unreadable.ts'

/** What one installation keeps on disk, by path. */
export interface StateDirectory {
  readonly path: string
  readonly database: string
  /** Sockets, pid files and running instances: worthless after a reboot. */
  readonly run: string
  readonly agentSocket: string
  /** Where the socket keeper is spoken to. */
  readonly socketKeeper: string
  /** The unix socket on which the daemon that owns the directory answers its operator. */
  readonly management: string
  readonly lock: string
  /** One folder a network, as the field lays it out: host, opts, addn_hosts, leases, pid. */
  readonly dhcp: string
  readonly instances: string
  /** One folder an instance: its config drive and, of a virtual machine, its disk and console. */
  readonly machines: string
  readonly sharedSecret: string
  /** What guests asked, a file each daemon. */
  readonly flight: string
  /** Unix sockets on which each process of ours tells how it is. */
  readonly pages: string
}

const DATABASE = 'inventory.sqlite'

/** Makes the directory if need be. Others may pass through it (dnsmasq reads its files as another user) but not look
 *  around, and what holds keys or passwords is closed to them by its own mode. */
export async function openStateDirectory(path: string): Promise<StateDirectory> {
  const run = join(path, 'run')
  await mkdir(path, { recursive: true, mode: 0o711 })
  await mkdir(run, { recursive: true, mode: 0o711 })
  return {
    path,
    run,
    database: join(path, DATABASE),
    agentSocket: join(run, 'metadata_proxy'),
    socketKeeper: join(run, 'sockets'),
    management: join(run, 'management'),
    lock: join(path, 'lock'),
    dhcp: join(path, 'dhcp'),
    instances: join(run, 'instances'),
    machines: join(path, 'machines'),
    sharedSecret: join(path, 'metadata_proxy_shared_secret'),
    flight: join(path, 'flight'),
    pages: join(run, 'pages'),
  }
}

/** The same for those who ask the daemon on it, which may be one that has no inventory. @throws Error when there is neither */
export async function servedStateDirectory(path: string): Promise<StateDirectory> {
  if (existsSync(join(path, 'run', 'management')) || existsSync(join(path, DATABASE))) return openStateDirectory(path)
  throw new Error(
    `no daemon of firstboot runs on ${path}, and there is no inventory in it: start one, or name another --state-dir`,
  )
}

/** The same for those who read what daemons on it have recorded, with an inventory or without.
 *  @throws Error when there is neither */
export async function recordedStateDirectory(path: string): Promise<StateDirectory> {
  return existsSync(join(path, 'flight')) ? openStateDirectory(path) : existingStateDirectory(path)
}

/** The directory as it was left, for those who only read. @throws Error when there is no inventory in it */
export async function existingStateDirectory(path: string): Promise<StateDirectory> {
  if (existsSync(join(path, DATABASE))) return openStateDirectory(path)
  throw new Error(
    `there is no inventory in ${path}: firstboot apply -f FILE makes one, --state-dir names another place`,
  )
}

/** The secret agent and API share: the configured one, else the directory's own, made at first use. */
export async function sharedSecret(state: StateDirectory, configured: string): Promise<string> {
  if (configured !== '') return configured
  if (!existsSync(state.sharedSecret)) await makeSecret(state.sharedSecret)
  const secret = (await readSecret(state.sharedSecret)).trim()
  if (secret === '') throw new Error(`${state.sharedSecret} is empty; remove it, and a new secret is made`)
  return secret
}

async function readSecret(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new Error(`the shared secret: ${unreadable(path, error)}. Set metadata_proxy_shared_secret, or mend the file`)
  }
}

/** The file appears whole or not at all, and once: an agent and an API that start together read the same one. */
async function makeSecret(path: string): Promise<void> {
  const fresh = `${path}.${process.pid}`
  try {
    const file = await open(fresh, 'wx', 0o600)
    try {
      await file.writeFile(randomBytes(32).toString('hex'))
      await file.sync()
    } finally {
      await file.close()
    }
    await link(fresh, path)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  } finally {
    await rm(fresh, { force: true })
  }
}
