import { proxyOptions } from '../config/options/datapath.ts'
import { held } from '../http/errors.ts'
import type { Forwarder } from '../http/messages.ts'
import type { InstanceId } from '../inventory/records/ids.ts'
import { metadataAgent } from '../metadata-agent/handler.ts'
import { southboundDirectory } from '../metadata-agent/ovn/southbound-directory.ts'
import type { PortDirectory } from '../metadata-agent/port-directory.ts'
import { reconciles } from '../observe/health.ts'
import { serveAgentSocket } from './agent-socket.ts'
import { configRoutes } from './config-routes.ts'
import { reconcilerRoutes } from './datapath-routes.ts'
import { openFlight } from './flight.ts'
import { hopServerOptions } from './guest-server.ts'
import { BadQuestion, type ManagementRoutes, openManagement } from './management.ts'
import { limitOf } from './metadata-agent.ts'
import { openOperatorPages } from './operator-pages.ts'
import {
  CHASSIS_DATABASES,
  type ChassisDatapath,
  type ChassisGiven,
  type ChassisValues,
  lastChassisPass,
  openChassisDatapath,
} from './ovn/chassis-datapath.ts'
import { openDatabases } from './ovn/databases.ts'
import { ovnStatusRoute } from './ovn/status-route.ts'
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
  /** Removes what is ours, then closes. */
  teardown(): Promise<void>
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
    findByAddressPair: async (...asked) => (await (await known.promise).findByAddressPair?.(...asked)) ?? [],
  }
  const forwardingOf = (settings: OvnMetadataAgentSettings) => {
    const { upstream, serverOf, close } = openOvnUpstream(state, settings.secret, settings.values, log)
    return { agent: metadataAgent(directory, upstream, limitOf(settings.values)), serverOf, close }
  }
  let latest: OvnMetadataAgentSettings = { values, secret }
  let current = forwardingOf(latest)
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
  let datapath: ChassisDatapath | undefined
  const pages = await openOperatorPages({
    state,
    daemon: 'ovn-metadata-agent',
    metrics: flight.metrics,
    ready: [...databases.ready, serving, reconciles(() => lastChassisPass(datapath))],
    listen: values.metrics_listen,
    log,
  })
  const opened = () => {
    const unknown = databases.ready.flatMap(({ name, whyNot }) => `${name}: ${whyNot() ?? 'is known'}`)
    return datapath ?? refuse(`the databases are waited for. ${unknown.join('; ')}`)
  }
  const configure = (next: ProxyValues) => reload({ values: { ...latest.values, ...next }, secret: latest.secret })
  const routes = { ...ovnStatusRoute(() => datapath?.chassisName, databases), ...routesOf(opened, configure) }
  const management = await openManagement(state, routes, log)

  async function start(): Promise<string> {
    datapath = await openChassisDatapath({ ...given, databases, metrics: flight.metrics })
    known.resolve(southboundDirectory(datapath.southbound, datapath.chassisName, datapath.following))
    await datapath.start()
    await datapath.configure(latest.values) // which may have come meanwhile
    return datapath.chassisName
  }

  async function reload(settings: OvnMetadataAgentSettings): Promise<readonly string[]> {
    const next = forwardingOf(settings)
    try {
      const changed = (await datapath?.configure(settings.values)) ?? []
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
      await datapath?.close()
      await end()
    },
    teardown: async () => {
      await release(0)
      await datapath?.teardown()
      await end()
    },
  }
}

function refuse(why: string): never {
  throw new BadQuestion(why)
}

/** What can be asked at any time, and is answered once the databases are known. */
function routesOf(
  opened: () => ChassisDatapath,
  configure: (values: ProxyValues) => Promise<readonly string[]>,
): ManagementRoutes {
  const routes = () => ({
    ...reconcilerRoutes(opened().reconciler),
    ...configRoutes({ values: opened().values, configure }, proxyOptions),
  })
  return Object.fromEntries(
    QUESTIONS.map((question) => [question, async (asked: unknown) => routes()[question]?.(asked)]),
  )
}

const QUESTIONS = ['GET /datapath/status', 'GET /datapath/plan', 'GET /config', 'PUT /config'] as const
