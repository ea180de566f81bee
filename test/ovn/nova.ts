import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { openListener } from '../../src/host/sockets.ts'
import type { IpAddress } from '../../src/inventory/records/address.ts'
import type { TestMachine } from '../support/test-machine.ts'

export const SECRET = 'ovn-secret'

/** nova-api-metadata as the agent needs it, on port 8775 of every chassis: it believes nothing that is not signed. */
export interface Nova {
  /** When each instance was first answered, in milliseconds of `performance.now()`. */
  readonly firstAnswers: ReadonlyMap<string, number>
  /** Forgets them. */
  reset(): void
  /** What it holds for its secret from now on. */
  believe(secret: string): void
  close(): Promise<void>
}

export async function openNova(machines: readonly TestMachine[]): Promise<Nova> {
  const firstAnswers = new Map<string, number>()
  let believed = SECRET
  const servers: Server[] = []
  for (const { pid } of machines) {
    const server = createServer((request, reply) => {
      const instance = String(request.headers['x-instance-id'])
      const signature = createHmac('sha256', believed).update(instance).digest('hex')
      if (request.headers['x-instance-id-signature'] !== signature) {
        reply.writeHead(403).end('Invalid proxy request signature.')
        return
      }
      if (!firstAnswers.has(instance)) firstAnswers.set(instance, performance.now())
      const { 'x-tenant-id': project, 'x-forwarded-for': address } = request.headers
      const document = `${instance} ${project} ${address}`
      const isMetadata = request.url?.endsWith('/meta_data.json')
      reply
        .writeHead(200, { 'Content-Type': isMetadata ? 'application/json' : 'text/plain' })
        .end(isMetadata ? `{"uuid": "${instance}"}` : document)
    })
    const where = { address: '127.0.0.1' as IpAddress, port: 8775, device: null, backlog: 128 }
    server.listen({ fd: openListener(`/proc/${pid}/ns/net`, where) })
    await once(server, 'listening')
    servers.push(server)
  }
  return {
    firstAnswers,
    reset: () => firstAnswers.clear(),
    believe: (secret) => {
      believed = secret
    },
    close: async () => {
      for (const server of servers) {
        server.close()
        server.closeAllConnections()
      }
    },
  }
}
