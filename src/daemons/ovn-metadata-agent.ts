import { held } from '../http/errors.ts'
import type { Forwarder } from '../http/messages.ts'
import type { InstanceId } from '../inventory/records/ids.ts'
import { metadataAgent } from '../metadata-agent/handler.ts'
import { southboundDirectory } from '../metadata-agent/ovn/southbound-directory.ts'
import type { PortDirectory } from '../metadata-agent/port-directory.ts'
import { reconciles } from '../observe/health.ts'
import { serveAgentSocket } from './agent-socket.ts'
import { openFlight } from './flight.ts'
import { hopServerOptions } from './guest-server.ts'
import { limitOf } from './limit-of.ts'
import { openManagement } from './management.ts'
import { neighbourTables } from './neighbours.ts'
import { openOperatorPages } from './operator-pages.ts'
import { type ChassisGiven, type ChassisValues, lastChassisPass } from './ovn/chassis-datapath.ts'
import { chassisRoutes } from './ovn/chassis-routes.ts'
import { openDatabases } from './ovn/databases.ts'
import { CHASSIS_DATABASES, serveChassis } from './ovn/serve-chassis.ts'
import { type OvnUpstreamValues, openOvnUpstream } from './ovn/upstream.ts'
import type { ProxyValues } from './proxy-config.ts'
import { type SocketModeValues, socketMode, whoWeAre } from './socket-mode.ts'

export type OvnMetadataAgentValues = ChassisValues &
  OvnUpstreamValues &
  SocketModeValues & { readonly metadata_backlog: number; readonly metrics_listen: string }

export interface OvnMetadataAgentSettings {
  readonly values: OvnMetadataAgentValues
  readonly secret: string
}

export interface OvnMetadataAgentGiven
  extends Pick<ChassisGiven, 'state' | 'sockets' | 'agentSocket' | 'log'>,
    OvnMetadataAgentSettings {}

export interface OvnMetadataAgent {
  /** Resolves with the chassis's name when the first pass is done, which waits until both databases are known. */
  readonly started: Promise<string>
  /** Requests that come from now on are treated so, and the namespaces made so. Resolves when that is done.
   *  @throws Error when the settings cannot be used; then nothing has changed */
  reload(settings: OvnMetadataAgentSettings): Promise<void>
  /** Finishes the requests in hand, in so many milliseconds at most, and leaves everything as it is for the next run. */
  close(grace: number): Promise<void>
  /** Removes what is ours, then closes, also while databases are waited for. @returns what could not be removed, a sentence
   *  each */
  teardown(): Promise<readonly string[]>
}

/** Many proxies come to one socket, some with a connection for each request. */
const CONNECTIONS = 8192

/**
 * neutron-ovn-metadata-agent: on this chassis, a namespace with the metadata address for every network of guests that OVN has
 * bound or is about to bind here. Who asks is known from the Southbound database.
 *
 * Resolves when the agent's socket listens; requests are held until the databases are known.
 */
export async function openOvnMetadataAgent(given: OvnMetadataAgentGiven): Promise<OvnMetadataAgent> {
  const { state, values, secret, agentSocket, log } = given
  const known = Promise.withResolvers<PortDirectory>()
  const isKnown = known.promise.then(() => undefined)
  isKnown.catch(() => undefined) // whoever waits for the start hears of it
  const directory: PortDirectory = {
    find: async (...asked) => (await known.promise).find(...asked),
    ...neighbourTables(state, log),
    findByAddressPair: async (...asked) => (await (await known.promise).findByAddressPair?.(...asked)) ?? [],
  }
  const forwardingOf = async (settings: OvnMetadataAgentSettings) => {
    const { upstream, serverOf, close } = await openOvnUpstream(state, settings.secret, settings.values, log)
    return { agent: metadataAgent(directory, upstream, limitOf(settings.values)), serverOf, close }
  }
  let latest: OvnMetadataAgentSettings = { values, secret }
  let current = await forwardingOf(latest)
  const answer: Forwarder = async (request) => {
    await held(isKnown)
    return current.agent(request)
  }

  const flight = openFlight(state, 'ovn-metadata-agent', log, (id) => current.serverOf(id as InstanceId))
  const databases = openDatabases(CHASSIS_DATABASES, log)
  flight.metrics.databases(databases.figures)
  const options = { ...hopServerOptions(log), limits: { connections: CONNECTIONS }, onAnswered: flight.onAnswered }
  const where = { path: agentSocket, mode: socketMode(values, whoWeAre()), backlog: values.metadata_backlog, log }
  const serving = await serveAgentSocket(where, answer, options)
  const chassis = serveChassis({ ...given, databases, metrics: flight.metrics })
  const pages = await openOperatorPages({
    state,
    daemon: 'ovn-metadata-agent',
    metrics: flight.metrics,
    ready: [...databases.ready, serving, reconciles(() => lastChassisPass(chassis.datapath))],
    listen: values.metrics_listen,
    log,
  })
  const configure = (next: ProxyValues) => reload({ values: { ...latest.values, ...next }, secret: latest.secret })
  const management = await openManagement(state, chassisRoutes(chassis, databases, configure), log)

  async function start(): Promise<string> {
    const { chassis: ours, connection } = await chassis.connected
    known.resolve(southboundDirectory(connection.southbound, ours.name, connection.following))
    const datapath = await chassis.opened
    await datapath.start()
    await datapath.configure(latest.values) // which may have come meanwhile
    return datapath.chassisName
  }

  async function reload(settings: OvnMetadataAgentSettings): Promise<readonly string[]> {
    const next = await forwardingOf(settings)
    try {
      const changed = (await chassis.datapath?.configure(settings.values)) ?? []
      const before = current
      current = next
      latest = settings
      await before.close()
      return changed
    } catch (error) {
      if (current !== next) await next.close()
      throw error
    }
  }

  async function release(grace: number): Promise<void> {
    await management.close()
    await serving.close(grace)
    await pages.close()
  }

  async function end(): Promise<void> {
    await current.close()
    await flight.close()
  }

  const started = start()
  started.catch(known.reject)
  return {
    started,
    reload: async (settings) => {
      await reload(settings)
    },
    close: async (grace) => {
      await release(grace)
      await chassis.close()
      await end()
    },
    teardown: async () => {
      await release(0)
      const left = await chassis.teardown()
      await end()
      return left
    },
  }
}
