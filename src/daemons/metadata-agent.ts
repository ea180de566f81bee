import { readFileSync } from 'node:fs'
import type { Values } from '../config/option.ts'
import type { agentOptions } from '../config/options/agent.ts'
import { type Destination, type HttpClient, openHttpClient } from '../http/client.ts'
import type { Answer, Forwarder } from '../http/messages.ts'
import { serveDescriptor } from '../http/server.ts'
import { type MetadataUpstream, metadataAgent } from '../metadata-agent/handler.ts'
import type { PortDirectory } from '../metadata-agent/port-directory.ts'
import { probeSecret } from '../metadata-agent/probe.ts'
import { signedUpstream } from '../metadata-agent/signed-upstream.ts'
import type { Log } from '../observe/log.ts'
import { keepAgentSocket } from './agent-socket.ts'
import { type Flight, openFlight } from './flight.ts'
import { hopServerOptions } from './guest-server.ts'
import { limitOf, type RateLimitValues } from './limit-of.ts'
import type { OpenSockets } from './run-service.ts'
import { socketMode, whoWeAre } from './socket-mode.ts'
import type { StateDirectory } from './state-directory.ts'
import { unreadable } from './unreadable.ts'

export type MetadataAgentValues = Values<typeof agentOptions> & RateLimitValues

/** How the metadata API is reached. */
export type NovaValues = Values<
  Pick<
    typeof agentOptions,
    | 'nova_metadata_host'
    | 'nova_metadata_port'
    | 'nova_metadata_protocol'
    | 'nova_metadata_insecure'
    | 'auth_ca_cert'
    | 'nova_client_cert'
    | 'nova_client_priv_key'
  >
>

export interface MetadataAgentSettings {
  readonly values: MetadataAgentValues
  readonly secret: string
}

export interface RunningMetadataAgent {
  readonly flight: Flight
  /** Requests that come from now on are treated so; those under way as they began.
   *  @throws when the settings cannot be used; then nothing has changed */
  reload(settings: MetadataAgentSettings): void
  /** Answers on these from now on, and finishes what came by those before. */
  serveInstead(sockets: readonly number[]): void
  close(grace?: number): Promise<void>
}

/** Many proxies come to one socket, some with a connection for each request. */
const CONNECTIONS = 8192

/** What proxies still have in hand on a socket that was replaced. */
const FINISH_MILLISECONDS = 30_000

/** neutron-metadata-agent: finds the instance behind a request and asks the metadata API in its name, signed. */
export function openMetadataAgent(
  state: Pick<StateDirectory, 'flight'>,
  sockets: readonly number[],
  directory: PortDirectory,
  settings: MetadataAgentSettings,
  log: Log,
): RunningMetadataAgent {
  let current = openForwarding(directory, settings, log)
  void probeSecret(current.upstream, log)
  const flight = openFlight(state, 'metadata-agent', log)
  const options = { ...hopServerOptions(log), limits: { connections: CONNECTIONS }, onAnswered: flight.onAnswered }
  const serve = (fd: number) =>
    serveDescriptor((request) => current.handler(request), fd, options, settings.values.metadata_backlog)
  let servings = sockets.map(serve)
  return {
    flight,
    reload: (next) => {
      const before = current
      current = openForwarding(directory, next, log)
      void probeSecret(current.upstream, log)
      void before.client.close()
    },
    serveInstead: (next) => {
      for (const before of servings) void before.close(FINISH_MILLISECONDS)
      servings = next.map(serve)
    },
    close: async (grace) => {
      await Promise.all(servings.map((serving) => serving.close(grace)))
      await current.client.close()
      await flight.close()
    },
  }
}

/** The agent's unix socket, and the next when that cannot be reached any more. */
export async function openAgentSocket(path: string, values: MetadataAgentValues, log: Log): Promise<OpenSockets> {
  let sockets: readonly number[] = []
  let use = (_: readonly number[]): void => undefined
  const where = { path, mode: socketMode(values, whoWeAre()), backlog: values.metadata_backlog, log }
  const { remove } = await keepAgentSocket(where, (fd) => {
    sockets = [fd]
    use(sockets)
  })
  const first = sockets
  return {
    sockets: first,
    remove,
    onReplaced: (tell) => {
      use = tell
      if (sockets !== first) tell(sockets)
    },
  }
}

interface Forwarding {
  readonly handler: Forwarder
  readonly upstream: MetadataUpstream<Answer>
  readonly client: HttpClient
}

function openForwarding(directory: PortDirectory, { values, secret }: MetadataAgentSettings, log: Log): Forwarding {
  const { upstream, signed, client } = novaUpstream(secret, values, log)
  return { handler: metadataAgent(directory, upstream, limitOf(values)), upstream: signed, client }
}

/** nova-api-metadata over HTTP, asked in the signed way. `signed` is the same without a word in the log. */
export function novaUpstream(secret: string, values: NovaValues, log: Log) {
  const client = openHttpClient(apiHosts(values), { tls: tlsOptions(values) })
  const signed = signedUpstream(client, secret)
  const upstream: MetadataUpstream<Answer> = async (caller, request) => {
    const reply = await signed(caller, request)
    const remark = REMARKS[reply.status]
    if (remark !== undefined) log.warn({ request: request.id, status: reply.status }, remark)
    return reply
  }
  return { upstream, signed, client, close: () => client.close() }
}

const REDIRECTED = 'the metadata API redirects, which is not followed: are host, port and protocol right?'

/** Answers that the guest hears as they are, and the operator has to do something about. */
const REMARKS: Readonly<Record<number, string>> = {
  301: REDIRECTED,
  302: REDIRECTED,
  307: REDIRECTED,
  308: REDIRECTED,
  403: 'the metadata API refuses our signature: do the shared secrets differ?',
}

/** One host, or several between commas. */
function apiHosts(values: NovaValues): readonly Destination[] {
  const { nova_metadata_protocol: protocol, nova_metadata_port: port } = values
  const hosts = values.nova_metadata_host
    .split(',')
    .map((host) => host.trim())
    .filter((host) => host !== '')
  if (hosts.length === 0) throw new Error('nova_metadata_host names no host')
  return hosts.map((host) => {
    const origin = `${protocol}://${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port}`
    const url = URL.parse(origin)
    // A name with a user, a path or a query in it would be asked for something else than was meant.
    if (url === null || url.href !== `${url.origin}/`)
      throw new Error(`nova_metadata_host: ${JSON.stringify(host)} is no host name and no address`)
    return { origin }
  })
}

function tlsOptions(values: NovaValues) {
  const { nova_client_cert: certificate, nova_client_priv_key: key } = values
  return {
    isInsecure: values.nova_metadata_insecure,
    ...(values.auth_ca_cert === '' ? {} : { ca: pem('auth_ca_cert', values.auth_ca_cert) }),
    // As in the field, one without the other counts for nothing.
    ...(certificate === '' || key === ''
      ? {}
      : { certificate: pem('nova_client_cert', certificate), key: pem('nova_client_priv_key', key) }),
  }
}

function pem(option: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new Error(`${option}: ${unreadable(path, error)}`)
  }
}
