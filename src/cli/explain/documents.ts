import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DriveValues } from '../../daemons/drives.ts'
import { openMetadataService } from '../../daemons/metadata-service.ts'
import type { StateDirectory } from '../../daemons/state-directory.ts'
import type { DocumentFacts, Facts, RecordFacts, RequestFacts, TargetFacts } from '../../explain/facts.ts'
import { advance, newSession } from '../../guest-clients/session.ts'
import { known } from '../../host/examine/known.ts'
import { VISITOR_AGENT } from '../../host/probe/visitor.ts'
import { patience } from '../../host/slowdown.ts'
import { openPoster, PostFailed } from '../../http/post.ts'
import type { IpAddress } from '../../inventory/records/address.ts'
import type { Instance } from '../../inventory/records/instance.ts'
import type { Server } from '../../inventory/records/server.ts'
import type { Inventory, InventoryStore } from '../../inventory/store.ts'
import { lintServer } from '../../lint/lint-server.ts'
import { VENDOR_DATA_HEADERS, vendorDataRequest } from '../../metadata-api/vendor-data/request.ts'
import { parseTargets, shownUrl } from '../../metadata-api/vendor-data/targets.ts'
import { journeys } from '../../observe/flight/journey.ts'
import { readRecords as readFlight } from '../../observe/flight/read.ts'
import { silentLog } from '../../observe/log.ts'
import { driveState } from '../config-drive/freshness.ts'
import { loadRules } from '../lint/load-rules.ts'
import { readAs } from '../read-as.ts'
import { attempted } from './attempted.ts'

export interface ServerQuestion {
  readonly state: StateDirectory
  readonly inventory: Inventory
  readonly store: InventoryStore
  readonly values: DriveValues
}

export interface DocumentQuestion extends ServerQuestion {
  readonly records: Omit<RecordFacts, 'found'>
}

type OfServer = Pick<Facts, 'documents' | 'vendorData' | 'drive'>
type OfPort = Pick<Facts, 'requests' | 'lease'>

/** What this guest would read, what it has asked, and what it holds. */
export async function documentFacts(question: DocumentQuestion): Promise<OfServer & OfPort> {
  return { ...(await serverFacts(question, question.records.server)), ...portFacts(question.state, question.records) }
}

/** What is the same for all ports of a server. */
export async function serverFacts(question: ServerQuestion, wanted: RecordFacts['server']): Promise<OfServer> {
  const { inventory } = question
  const server = wanted && inventory.records.server.get(wanted.id)
  const instance = server && inventory.instance(server.id)
  if (server === undefined || instance === undefined) {
    const nobody = { unknown: 'there is no server' }
    return { documents: nobody, vendorData: nobody, drive: nobody }
  }
  const [documents, vendorData, drive] = await Promise.all([
    attempted('the documents', () => drawn(question, server, instance)),
    attempted('the targets of vendor data', () => targets(question.values, instance)),
    freshness(question, server, instance),
  ])
  return { documents, vendorData, drive }
}

export function portFacts(state: StateDirectory, records: Omit<RecordFacts, 'found'>): OfPort {
  return {
    requests: known('the flight recorder', () => requestFacts(state.flight, records)),
    lease: known('the leases', () => ({ endsAt: leaseEnd(state.dhcp, records) })),
  }
}

const READ = ['/openstack/latest/meta_data.json', '/openstack/latest/network_data.json', '/latest/meta-data/']

/** As the metadata API would, without asking the targets. */
async function drawn(
  { inventory, store, values }: ServerQuestion,
  server: Server,
  instance: Instance,
): Promise<DocumentFacts> {
  const service = openMetadataService(inventory, store, '', { ...values, vendordata_dynamic_targets: [] }, silentLog)
  const get = await readAs(service, server)
  const replies = await Promise.all(READ.map(async (path) => ({ path, reply: await get(path) })))
  const { rules } = loadRules('')
  return {
    broken: replies.filter(({ reply }) => reply.status !== 200).map(({ path, reply }) => `${path} is ${reply.status}`),
    findings: lintServer({ server, instance, dhcpDomain: values.dhcp_domain }, rules),
  }
}

const TARGET_MILLISECONDS = 1_300
const ANSWER_BYTES = 1024 * 1024

/** Asked as the metadata API asks them, with less patience. */
async function targets(values: DriveValues, instance: Instance): Promise<readonly TargetFacts[]> {
  const isAsked = values.vendordata_providers.includes('DynamicJSON')
  const all = isAsked ? parseTargets(values.vendordata_dynamic_targets).targets : []
  if (all.length === 0) return []
  const { vendordata_dynamic_ssl_certfile: certificates } = values
  const poster = openPoster({
    connectMilliseconds: patience(TARGET_MILLISECONDS),
    readMilliseconds: patience(TARGET_MILLISECONDS),
    patienceMilliseconds: patience(TARGET_MILLISECONDS),
    answerBytes: ANSWER_BYTES,
    authorities: certificates === '' ? undefined : readFileSync(certificates, 'utf8'),
  })
  await poster.ready
  return Promise.all(
    all.map(async ({ name, url }): Promise<TargetFacts> => {
      const started = performance.now()
      const error = await poster
        .post(url, VENDOR_DATA_HEADERS, vendorDataRequest(instance))
        .then(({ status }) => (status < 400 ? null : `status ${status}`))
        .catch((cause: unknown) => (cause instanceof PostFailed ? cause.message : String(cause)))
      return { target: name, url: shownUrl(url), milliseconds: Math.round(performance.now() - started), error }
    }),
  )
}

async function freshness(
  { state, inventory, store, values }: ServerQuestion,
  server: Server,
  instance: Instance,
): Promise<Facts['drive']> {
  try {
    const { path, stale } = await driveState({ server, instance, inventory, store, state }, values)
    return { value: { stale: path === null ? undefined : (stale ?? []) } }
  } catch (error) {
    return { unknown: error instanceof Error ? error.message : String(error) }
  }
}

/** A guest asks up to 50 documents in a boot. */
const REMEMBERED = 256

function requestFacts(flight: string, records: Omit<RecordFacts, 'found'>): RequestFacts {
  const { server, network, routers } = records
  const places = new Set([`network ${network?.id}`, ...routers.map(({ router }) => `router ${router.id}`)])
  const isAbout = ({ instance, within, userAgent }: { instance?: string; within?: string; userAgent?: string }) =>
    userAgent !== VISITOR_AGENT && (instance === server?.id || (within !== undefined && places.has(within)))
  const found = journeys(readFlight(flight, isAbout)).slice(-REMEMBERED)
  const own = found.filter(({ instance }) => instance !== undefined && instance === server?.id)
  const last = own.at(-1)
  const session = own.reduce(
    (before, { method, path, userAgent, status }) =>
      advance(before, {
        method,
        path: `/${path.split('/').filter(Boolean).join('/')}`,
        userAgent,
        status,
        isWhole: true,
      }),
    newSession,
  )
  return {
    last: last && { at: last.time, path: last.path, status: last.status },
    count: own.length,
    clients: session.clients.map(({ client, version }) =>
      version === undefined ? client.name : `${client.name} ${version}`,
    ),
    strangers: [
      ...new Set(found.filter(({ problem }) => problem === 'instance-unknown').map(({ from }) => from as IpAddress)),
    ],
  }
}

/** `expiry mac address ...` a line; milliseconds since 1970. */
function leaseEnd(directory: string, { port, fixedIp }: Omit<RecordFacts, 'found'>): number | undefined {
  const path = join(directory, port?.networkId ?? '', 'leases')
  if (port === undefined || !existsSync(path)) return undefined
  const lines = readFileSync(path, 'utf8').split('\n')
  const [expiry] =
    lines
      .map((line) => line.split(' '))
      .find(([, mac, address]) => mac === port.macAddress && address === fixedIp?.ipAddress) ?? []
  return expiry === undefined ? undefined : Number(expiry) * 1_000
}
