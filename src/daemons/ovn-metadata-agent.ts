import { chmod } from 'node:fs/promises'
import { held } from '../http/errors.ts'
import type { Handler } from '../http/messages.ts'
import { type MetadataUpstream, metadataAgent } from '../metadata-agent/handler.ts'
import { southboundDirectory } from '../metadata-agent/ovn/southbound-directory.ts'
import { serveAgentSocket } from './agent-socket.ts'
import { openManagement } from './management.ts'
import { type MetadataAgentValues, SOCKET_MODES } from './metadata-agent.ts'
import { type ChassisGiven, type ChassisValues, openChassisDatapath } from './ovn/chassis-datapath.ts'

export interface OvnMetadataAgentGiven extends ChassisGiven {
  readonly values: ChassisValues & Pick<MetadataAgentValues, 'metadata_proxy_socket_mode'>
  /** The agent's unix socket, for proxies. */
  readonly agentSocket: string
  readonly upstream: MetadataUpstream
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
  const known = Promise.withResolvers<Handler>()
  const isKnown = known.promise.then(() => undefined)
  const answer: Handler = async (request) => {
    await held(isKnown)
    return (await known.promise)(request)
  }
  const serving = await serveAgentSocket(agentSocket, answer, log)
  await chmod(agentSocket, SOCKET_MODES[values.metadata_proxy_socket_mode])

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
