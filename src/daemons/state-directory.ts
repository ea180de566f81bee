import { randomBytes, randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { link, mkdir, open, readFile, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { MARK } from '../host/mark.ts'
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
  /** The id by which databases that several hosts write to know this installation. */
  readonly installation: string
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
    installation: join(path, 'installation'),
    flight: join(path, 'flight'),
    pages: join(run, 'pages'),
  }
}

/** The same for those who ask the daemon on it, which may be one that has no inventory. @throws Error when there is neither */
export async function servedStateDirectory(path: string): Promise<StateDirectory> {
  if (existsSync(join(path, 'run', 'management')) || hasInventory(path)) return openStateDirectory(path)
  throw new Error(
    `no daemon of firstboot runs on ${path}, and there is no inventory in it: start one, or name another --state-dir`,
  )
}

/** The same for those who read what daemons on it have recorded, with an inventory or without.
 *  @throws Error when there is neither */
export async function recordedStateDirectory(path: string): Promise<StateDirectory> {
  return existsSync(join(path, 'flight')) ? openStateDirectory(path) : existingStateDirectory(path)
}

export function hasInventory(path: string): boolean {
  return existsSync(join(path, DATABASE))
}

/** The directory as it was left, for those who only read. @throws Error when there is no inventory in it */
export async function existingStateDirectory(path: string): Promise<StateDirectory> {
  if (hasInventory(path)) return openStateDirectory(path)
  throw new Error(
    `there is no inventory in ${path}: firstboot apply -f FILE makes one, --state-dir names another place`,
  )
}

/** The secret agent and API share: the configured one, else the directory's own, made at first use. */
export async function sharedSecret(state: StateDirectory, configured: string): Promise<string> {
  if (configured !== '') return configured
  if (!existsSync(state.sharedSecret)) await makeOnce(state.sharedSecret, randomBytes(32).toString('hex'))
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

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/**
 * The mark of what this installation writes where others write, too: hosts that share a Northbound all have their state in
 * `/var/lib/firstboot`, so it is made of an id, which the directory is given at first use and keeps.
 * @throws Error when the id is there and cannot be used: with another one, what was written before would be a stranger's
 */
export async function installationMark(state: Pick<StateDirectory, 'installation'>): Promise<string> {
  const path = state.installation
  if (!existsSync(path)) await makeOnce(path, `${randomUUID()}\n`)
  const id = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new Error(`the id of this installation: ${unreadable(path, error)}`)
  })
  if (!UUID.test(id.trim()))
    throw new Error(
      `the id of this installation: ${path} holds no UUID. Write back the one that external_ids:firstboot of its rows has, or remove the file, and a new one is made`,
    )
  return `${MARK}:${id.trim()}`
}

/** The file appears whole or not at all, and once: those that start together read the same one. What was read once is still
 *  there after a power cut. */
async function makeOnce(path: string, content: string): Promise<void> {
  const fresh = `${path}.${randomUUID()}`
  try {
    const file = await open(fresh, 'wx', 0o600)
    try {
      await file.writeFile(content)
      await file.sync()
    } finally {
      await file.close()
    }
    await link(fresh, path)
    await syncDirectory(dirname(path))
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  } finally {
    await rm(fresh, { force: true })
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}
