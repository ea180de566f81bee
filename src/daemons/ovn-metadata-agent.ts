import { held } from '../http/errors.ts'
import type { Answer, Forwarder } from '../http/messages.ts'
import { type MetadataUpstream, metadataAgent } from '../metadata-agent/handler.ts'
import { southboundDirectory } from '../metadata-agent/ovn/southbound-directory.ts'
import { serveAgentSocket } from './agent-socket.ts'
import { hopServerOptions } from './guest-server.ts'
import { openManagement } from './management.ts'
import { type ChassisGiven, type ChassisValues, openChassisDatapath } from './ovn/chassis-datapath.ts'
import { socketMode, whoWeAre } from './socket-mode.ts'

export interface OvnMetadataAgentGiven extends ChassisGiven {
  readonly values: ChassisValues & Parameters<typeof socketMode>[0]
  /** The agent's unix socket, for proxies. */
  readonly agentSocket: string
  readonly upstream: MetadataUpstream<Answer>
}

export interface OvnMetadataAgent {
  /** Of this chassis in OVN. */
  readonly chassisName: string
  /** Leaves everything as it is, for the next run to go on. */
  close(): Promise<void>
  /** Removes what is ours, then closes. */
  teardown(): Promise<void>
}

/**
 * neutron-ovn-metadata-agent: on this chassis, a namespace with the metadata address for every network of guests that OVN has
 * bound or is about to bind here. Who asks is known from the Southbound database.
 *
 * The agent's socket listens at once; requests are held until the databases are known. Resolves when the first pass is done.
 */
export async function openOvnMetadataAgent(given: OvnMetadataAgentGiven): Promise<OvnMetadataAgent> {
  const { state, values, agentSocket, upstream, log } = given
  const known = Promise.withResolvers<Forwarder>()
  const isKnown = known.promise.then(() => undefined)
  const answer: Forwarder = async (request) => {
    await held(isKnown)
    return (await known.promise)(request)
  }
  const serving = serveAgentSocket(agentSocket, answer, hopServerOptions(log), socketMode(values, whoWeAre()))

  const datapath = await openChassisDatapath(given)
  const { chassisName, southbound, isSettled, routes } = datapath
  known.resolve(metadataAgent(southboundDirectory(southbound, chassisName, isSettled), upstream))
  const management = await openManagement(state, routes, log)
  await datapath.start()
  const release = async () => {
    await management.close()
    await serving.close()
  }
  return {
    chassisName,
    close: () => release().then(datapath.close),
    teardown: () => release().then(datapath.teardown),
  }
}
