import type { RecordSet } from '../../records/records.ts'
import type { Generators } from '../generators.ts'
import type { InventoryFile } from '../load.ts'
import type { Path, Problem } from '../problem.ts'
import { AddressBook } from './addresses.ts'
import { Bindings, labelOfDevice } from './bindings.ts'
import { contentsOf } from './contents.ts'
import { dhcpPortRequests } from './dhcp-ports.ts'
import { type Differences, differences } from './differences.ts'
import { claimFloatingIps, planFloatingIps } from './floating-ips.ts'
import { identifyAll } from './identify.ts'
import { planNetworks } from './networks.ts'
import { planOwnedNouns } from './owned-nouns.ts'
import { Planning } from './planning.ts'
import { filePortRequests } from './ports.ts'
import { routerRequests } from './routers.ts'
import { refuseLostRoutes } from './routes.ts'
import { planServers } from './servers.ts'
import { type AddressRequest, settleAddresses } from './settle.ts'
import { refuseStranded } from './stranded.ts'

export interface ApplyOptions {
  /** Remove what the file does not name. Otherwise it is left alone. */
  readonly prune: boolean
  /** Name of the host whose DHCP agent new DHCP ports belong to. */
  readonly host: string
}

/** What applying a file comes to. `changes` are to be committed as they are. */
export interface ApplyPlan extends Differences {
  /** What the user should know beside. */
  readonly notes: readonly string[]
}

/**
 * Works out what has to change so that the inventory is as the file says. Pure but for the generators.
 *
 * What a record was assigned (ids, addresses, EC2 numbers, hostname, ...) it keeps; a field the file leaves out is at its
 * default otherwise. So a file that has been applied changes nothing when it is applied again.
 * @returns problems instead when anything at all is wrong with the file, all of them, in order of the text
 */
export function planApply(
  existing: RecordSet,
  file: InventoryFile,
  generators: Generators,
  options: ApplyOptions,
): ApplyPlan | { readonly problems: readonly Problem[] } {
  const problems = [...file.problems]
  if (file.document !== undefined) {
    const report = (path: Path, message: string) => problems.push(file.problemAt(path, message))
    const planning = new Planning(existing, generators, report)
    planDocument(file.document, planning, options)
    if (problems.length === 0) return { ...differences(existing, planning), notes: planning.notes }
  }
  return { problems: problems.toSorted((a, b) => a.line - b.line || a.column - b.column) }
}

function planDocument(
  document: NonNullable<InventoryFile['document']>,
  planning: Planning,
  { prune, host }: ApplyOptions,
): void {
  const contents = identifyAll(contentsOf(document), prune, planning)
  planOwnedNouns(contents, planning)
  planNetworks(contents, planning)

  const bindings = new Bindings()
  const book = new AddressBook()
  const routers = routerRequests(contents, bindings, planning)
  const servers = planServers(contents, bindings, planning)
  bindings.carryOut(planning)
  const requests = [
    ...routers,
    ...dhcpPortRequests(contents, host, planning),
    ...filePortRequests(contents, bindings, planning),
    ...servers.flatMap((server) => server.requests),
  ]
  claimOthers(requests, planning, book)
  claimFloatingIps(contents, prune, planning, book)
  settleAddresses(requests, planning, book)
  refuseStranded(contents, planning)
  refuseLostRoutes(contents, planning)
  for (const server of servers) server.finish()
  planFloatingIps(contents, prune, planning, book)
}

/** Claims what ports and gateways have that the requests do not replace. */
function claimOthers(requests: readonly AddressRequest[], planning: Planning, book: AddressBook): void {
  const replaced = new Set(requests.map(({ id }) => id))
  for (const { id, networkId, macAddress, fixedIps, deviceId } of planning.draft.port.values()) {
    if (replaced.has(id)) continue
    const owner = deviceId === '' ? `port ${id}` : labelOfDevice(deviceId, planning)
    book.claim(networkId, macAddress, owner)
    for (const { ipAddress } of fixedIps) book.claim(networkId, ipAddress, owner)
  }
  for (const { id, name, externalGateway } of planning.draft.router.values()) {
    if (replaced.has(id) || externalGateway === null) continue
    for (const { ipAddress } of externalGateway.fixedIps) {
      book.claim(externalGateway.networkId, ipAddress, `the gateway of router ${name}`)
    }
  }
}
