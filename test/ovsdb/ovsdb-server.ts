import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from '../support/eventually.ts'

/** An ovsdb-server of its own: files, sockets and log in one temporary directory. */
export interface OvsdbServer {
  readonly directory: string
  /** `unix:` and where it listens. */
  readonly remote: string
  start(): Promise<void>
  /** SIGKILL: nobody is told. */
  kill(): Promise<void>
  /** Stops reading and answering, as a machine that hangs; `true` goes on. */
  freeze(isFrozen: boolean): void
  /** `ovs-appctl`: what the server's administrator may ask of it. */
  control(...command: readonly string[]): string
  /** The port of a `ptcp:` or `pssl:` remote without number. */
  port(): Promise<number>
}

const servers = new Set<ChildProcess>()
const directories = new Set<string>()
process.once('exit', () => {
  for (const server of servers) server.kill('SIGKILL')
  for (const directory of directories) rmSync(directory, { recursive: true, force: true })
})

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1)) // as a test runner ends what hangs

/** Gone at the end of the test process, whatever ends that but SIGKILL. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'ovsdb-test-'))
  directories.add(directory)
  return directory
}

/** Ends every server that the test file started. */
export async function endServers(): Promise<void> {
  await Promise.all([...servers].map((server) => endProcess(server)))
  for (const directory of directories) rmSync(directory, { recursive: true, force: true })
}

async function endProcess(server: ChildProcess): Promise<void> {
  servers.delete(server)
  if (server.exitCode !== null || server.signalCode !== null) return
  const ended = once(server, 'exit')
  server.kill('SIGCONT')
  server.kill('SIGKILL')
  await ended
}

/** @param schema  a file in the form of ovsdb-tool(1) */
export function createDatabase(directory: string, schema: string, name = 'db'): string {
  const database = join(directory, `${name}.db`)
  execFileSync('ovsdb-tool', ['create', database, schema])
  return database
}

/** @param options.name  tells servers of one directory from one another */
export function ovsdbServer(
  directory: string,
  database: string,
  options: { readonly name?: string; readonly args?: readonly string[] } = {},
): OvsdbServer {
  const name = options.name ?? 'db'
  const [socket, control, log] = ['sock', 'ctl', 'log'].map((suffix) => join(directory, `${name}.${suffix}`)) as [
    string,
    string,
    string,
  ]
  let server: ChildProcess | undefined

  function isListening(): boolean {
    if (server?.exitCode !== null) throw new Error(`ovsdb-server ended: ${readFileSync(log, 'utf8')}`)
    return existsSync(socket) && existsSync(control)
  }

  return {
    directory,
    remote: `unix:${socket}`,
    async start() {
      for (const leftover of [socket, control, log]) rmSync(leftover, { force: true })
      const args = [
        database,
        `--remote=punix:${socket}`,
        `--unixctl=${control}`,
        `--log-file=${log}`,
        '-vconsole:off',
        '--no-chdir',
      ]
      server = spawn('ovsdb-server', [...args, ...(options.args ?? [])], { stdio: 'ignore' })
      servers.add(server)
      await eventually('ovsdb-server listens', isListening)
    },
    async kill() {
      if (server !== undefined) await endProcess(server)
    },
    freeze(isFrozen) {
      server?.kill(isFrozen ? 'SIGSTOP' : 'SIGCONT')
    },
    control: (...command) => execFileSync('ovs-appctl', ['-t', control, ...command], { encoding: 'utf8' }),
    async port() {
      const said = () => /listening on port (\d+)/.exec(readFileSync(log, 'utf8'))?.[1]
      await eventually('ovsdb-server says its port', () => said() !== undefined)
      return Number(said())
    },
  }
}
