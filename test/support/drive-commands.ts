import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { firstboot } from './daemon.ts'

/** Config drives as an operator types the commands. Everything lies in a folder, to be removed behind the test file. */
export const folder = mkdtempSync(join(tmpdir(), 'firstboot-drive-'))
export const state = join(folder, 'state')

export function removeFolder(): void {
  rmSync(folder, { recursive: true, force: true })
}

/** How a program ended, and what it said. */
export interface Outcome {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Never rejects: a failure is an outcome too. */
export function execute(program: string, words: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(program, words, { env: { PATH: process.env['PATH'], ...env } }, (error, out, err) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1, out, err }),
    )
  })
}

export function run(...args: readonly string[]): Promise<Outcome> {
  const [program, ...words] = firstboot(...args)
  return execute(program, words)
}

/** `firstboot config-drive` without an inventory of its own. */
export const drive = (...args: readonly string[]) => run('config-drive', ...args)
/** Any command on the inventory of this file. */
export const kept = (...args: readonly string[]) => run(...args, '--state-dir', state)

export const ID = '5b0c1f5e-8a39-4a3f-8d0e-6f1f0b1c2d3e'
/** Where the drive of the server is kept. */
export const KEPT = join(state, 'machines', ID, 'disk.config')

/** Ids are given where they would be drawn, so that the file alone decides what is on the drive. */
export function inventory(changes: object = {}): string {
  return JSON.stringify({
    projects: [{ id: '0123456789abcdef0123456789abcdef', name: 'p' }],
    networks: [{ id: '11111111-0000-4000-8000-000000000001', name: 'n', subnets: [{ cidr: '10.0.0.0/24' }] }],
    ports: [{ id: '22222222-0000-4000-8000-000000000001', network: 'n', mac_address: 'fa:16:3e:00:00:01' }],
    servers: [
      {
        id: ID,
        name: 'web-1',
        reservation_id: 'r-abcdefgh',
        networks: [{ port: '22222222-0000-4000-8000-000000000001' }],
        config_drive: true,
        admin_pass: 'Adm1n!',
        metadata: { role: 'web' },
        user_data: { base64: Buffer.from([0x1f, 0x8b, 0, 0xff]).toString('base64') },
        personality: [{ path: '/etc/motd', contents: 'hello\n' }],
        ...changes,
      },
    ],
  })
}

export function file(name: string, text: string | Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

export const SERVER = file('server.yaml', inventory())
