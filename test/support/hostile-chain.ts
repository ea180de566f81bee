import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Stamp } from '../../src/host/namespace.ts'
import { openHttpClient } from '../../src/http/client.ts'
import { errorPage } from '../../src/http/error-page.ts'
import { type Limits, serve } from '../../src/http/server.ts'
import type { IpAddress, MacAddress } from '../../src/inventory/records/address.ts'
import type { NetworkId, PortId, ProjectId } from '../../src/inventory/records/ids.ts'
import type { Port } from '../../src/inventory/records/port.ts'
import { metadataAgent } from '../../src/metadata-agent/handler.ts'
import type { PortDirectory } from '../../src/metadata-agent/port-directory.ts'
import { signedUpstream } from '../../src/metadata-agent/signed-upstream.ts'
import { agentOverSocket } from '../../src/metadata-proxy/agent-socket.ts'
import { metadataProxy } from '../../src/metadata-proxy/handler.ts'
import { eventually } from './eventually.ts'
import { listenHttp } from './raw-http.ts'

//   guest, 127.0.0.11 ---- TCP ---- our proxy ----\
//                     \--- TCP ---- haproxy -------+---- unix socket ---- agent ---- TCP ---- a metadata API that tells
//                      \------------------------- /                                          what it was told

export const SECRET = 'a secret of the test'
export const NETWORK = '11111111-1111-4111-8111-111111111111'
export const OTHER_NETWORK = '22222222-2222-4222-8222-222222222222'
/** Every guest there is: by network and address. */
export const GUESTS = {
  own: { network: NETWORK, address: '127.0.0.11', instance: 'aaaaaaaa-0000-4000-8000-000000000000', project: 'p-own' },
  neighbour: {
    network: NETWORK,
    address: '127.0.0.12',
    instance: 'bbbbbbbb-0000-4000-8000-000000000000',
    project: 'p-neighbour',
  },
  elsewhere: {
    network: OTHER_NETWORK,
    address: '127.0.0.11',
    instance: 'cccccccc-0000-4000-8000-000000000000',
    project: 'p-elsewhere',
  },
} as const

const directory: PortDirectory = {
  find: async (within, client) =>
    Object.values(GUESTS)
      .filter(({ network, address }) => {
        const isThere = 'networkId' in within && within.networkId === network
        return isThere && 'fixedIp' in client && client.fixedIp === address
      })
      .map(portOf),
}

function portOf({ network, address, instance, project }: (typeof GUESTS)[keyof typeof GUESTS]): Port {
  return {
    id: instance as string as PortId,
    networkId: network as NetworkId,
    projectId: project as ProjectId,
    name: '',
    macAddress: 'fa:16:3e:00:00:01' as MacAddress,
    fixedIps: [{ subnetId: network, ipAddress: address as IpAddress }],
    deviceId: instance,
    deviceOwner: 'compute:nova',
  } as unknown as Port
}

/** What the metadata API was told of one request. */
export interface Told {
  readonly target: string
  /** As Node reads them, with `, ` between those that came twice. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

export interface HostileChain {
  readonly told: Told[]
  readonly agentSocket: string
  readonly proxyPort: number
  readonly haproxyPort: number
  close(): Promise<void>
}

export async function openHostileChain(limits: Partial<Limits> = {}): Promise<HostileChain> {
  const folder = mkdtempSync(join(tmpdir(), 'firstboot-hostile-'))
  const agentSocket = join(folder, 'agent')
  const told: Told[] = []
  const api = await listenHttp((request, answer) => {
    let body = ''
    request.setEncoding('latin1').on('data', (text: string) => (body += text))
    request.once('end', () => {
      told.push({ target: request.url ?? '', headers: request.headers, body })
      answer.end(`told ${told.length}`)
    })
  })
  const options = { onError: errorPage, limits }
  const apiClient = openHttpClient([api])
  const agent = await serve(metadataAgent(directory, signedUpstream(apiClient, SECRET)), { path: agentSocket }, options)
  const agentClient = openHttpClient([{ socketPath: agentSocket }])
  const stamp: Stamp = { networkId: NETWORK as NetworkId }
  const proxy = await serve(metadataProxy(stamp, agentOverSocket(agentClient)), { host: '127.0.0.1', port: 0 }, options)
  const haproxy = await startHaproxy(folder, agentSocket)
  return {
    told,
    agentSocket,
    proxyPort: proxy.port ?? 0,
    haproxyPort: haproxy.port,
    close: async () => {
      await haproxy.stop()
      await Promise.all([proxy.close(0), agent.close(0), api.close()])
      await Promise.all([agentClient.close(), apiClient.close()])
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** With the rules that neutron's agents write; only where it listens is another place. */
async function startHaproxy(folder: string, agentSocket: string) {
  const free = await listenHttp(() => undefined)
  await free.close()
  const config = join(folder, 'haproxy.conf')
  writeFileSync(
    config,
    `global
    maxconn 1024
defaults
    mode http
    option http-server-close
    option forwardfor
    retries 3
    timeout http-request 30s
    timeout connect 30s
    timeout client 32s
    timeout server 32s
    timeout http-keep-alive 30s
listen listener
    bind 127.0.0.1:${free.port}
    server metadata ${agentSocket}
    http-request del-header X-Neutron-Router-ID
    http-request set-header X-Neutron-Network-ID ${NETWORK}
`,
  )
  const child = spawn('haproxy', ['-db', '-f', config], { stdio: ['ignore', 'ignore', 'ignore'] })
  const gone = once(child, 'exit') // rejects when it cannot be started
  let isUp = false
  await eventually('haproxy listens', () => {
    const probe = connect(free.port, '127.0.0.1')
    probe.once('connect', () => {
      isUp = true
      probe.destroy()
    })
    probe.once('error', () => undefined)
    return isUp
  })
  return {
    port: free.port,
    stop: () => {
      child.kill('SIGKILL')
      return gone
    },
  }
}
