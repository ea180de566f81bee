import { type Following, followKeeper } from '../host/socket-keeper/follow.ts'
import { openHttpClient } from '../http/client.ts'
import type { Forwarder } from '../http/messages.ts'
import { agentOverSocket } from '../metadata-proxy/agent-socket.ts'
import { nativeProxies } from '../metadata-proxy/native.ts'
import type { Condition } from '../observe/health.ts'
import type { Log } from '../observe/log.ts'
import type { Flight } from './flight.ts'
import { guestServerOptions } from './guest-server.ts'

/** What proxies hand their requests to. */
export interface Answers {
  readonly handler: Forwarder
  /** The server's name by its id, where it is known here. */
  readonly serverOf: (instance: string) => string | undefined
  /** What has to hold before guests are answered as they should. */
  readonly ready: readonly Condition[]
  close(): Promise<void>
}

/** The metadata agent behind its unix socket. */
export function answersOfAgent(socket: string): Answers {
  const client = openHttpClient([{ socketPath: socket }])
  return { handler: agentOverSocket(client), serverOf: () => undefined, ready: [], close: () => client.close() }
}

/** neutron-ns-metadata-proxy for all namespaces of a socket keeper at once. Needs no privileges. */
export async function openMetadataProxy(
  socketKeeper: string,
  { handler }: Answers,
  { onAnswered }: Pick<Flight, 'onAnswered'>,
  log: Log,
): Promise<Following> {
  return followKeeper(socketKeeper, nativeProxies(handler, { ...guestServerOptions(log), onAnswered }))
}
