import { UsageError } from '../config/read.ts'
import type { RecordSet } from '../inventory/records/records.ts'
import type { Server } from '../inventory/records/server.ts'
import { suggestion } from '../text/nearest.ts'

/** The server a person means: by id, or by a name that only one server has.
 *  @param besides  what else it could have been and is not: `, nor a port`
 *  @throws UsageError */
export function findServer(records: RecordSet, wanted: string | undefined, besides = ''): Server {
  if (wanted === undefined) throw new UsageError('name a server: its name or its id')
  const byId = records.server.get(wanted.toLowerCase())
  if (byId !== undefined) return byId
  const named = [...records.server.values()].filter(({ name }) => name === wanted)
  const [server, second] = named
  if (second !== undefined) {
    const choices = named.map(
      ({ id, projectId }) => `${id} (project ${records.project.get(projectId)?.name ?? projectId})`,
    )
    throw new UsageError(`${named.length} servers are called ${wanted}; use an id: ${choices.join(', ')}`)
  }
  if (server === undefined) throw new UsageError(`there is no server ${wanted}${besides}${didYouMean(records, wanted)}`)
  return server
}

function didYouMean(records: RecordSet, wanted: string): string {
  const names = Array.from(records.server.values(), ({ name }) => name)
  if (names.length === 0) return '; the inventory has none (firstboot apply -f FILE)'
  return suggestion(wanted, names) || '; see firstboot list servers'
}
