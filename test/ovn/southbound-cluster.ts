import { execFileSync } from 'node:child_process'
import { type OvsdbServer, ovsdbServer } from '../ovsdb/ovsdb-server.ts'
import { eventually } from '../support/eventually.ts'
import { schemaOf } from './cloud.ts'

/** The Southbound database on three servers. */
export interface SouthboundCluster {
  /** All three. */
  readonly remote: string
  readonly servers: ReadonlyMap<string, OvsdbServer>
  /** The name of the server that leads now. */
  leader(): Promise<string>
  kill(name: string): Promise<void>
  start(name: string): Promise<void>
}

const NAMES = ['sb1', 'sb2', 'sb3'] as const

export async function clusteredSouthbound(directory: string): Promise<SouthboundCluster> {
  const servers = new Map<string, OvsdbServer>()
  const alive = new Set<string>()
  const raft = (name: string) => `unix:${directory}/${name}.raft`
  const says = (name: string, line: RegExp) =>
    line.test(servers.get(name)?.control('cluster/status', 'OVN_Southbound') ?? '')

  for (const name of NAMES) {
    const database = `${directory}/${name}.db`
    const create =
      name === 'sb1'
        ? ['create-cluster', database, schemaOf('sb'), raft(name)]
        : ['join-cluster', database, 'OVN_Southbound', raft(name), raft('sb1')]
    // It warns of columns that are kept here and not elsewhere.
    execFileSync('ovsdb-tool', create, { stdio: ['ignore', 'ignore', 'pipe'] })
    const server = ovsdbServer(directory, database, { name })
    await server.start()
    servers.set(name, server)
    alive.add(name)
  }
  await eventually('all servers are members', () => NAMES.every((name) => says(name, /^Status: cluster member/m)))

  return {
    remote: NAMES.map((name) => `unix:${directory}/${name}.sock`).join(','),
    servers,
    async leader() {
      const find = () => NAMES.find((name) => alive.has(name) && says(name, /^Role: leader/m))
      await eventually('one server leads', () => find() !== undefined)
      return find() ?? ''
    },
    async kill(name) {
      alive.delete(name)
      await servers.get(name)?.kill()
    },
    async start(name) {
      await servers.get(name)?.start()
      alive.add(name)
    },
  }
}
