import { createHmac } from 'node:crypto'
import { RANDOM_SEED_BYTES } from '../src/documents/context.ts'
import { BodyTooLarge } from '../src/http/errors.ts'
import { Headers, type HttpReply, type HttpRequest } from '../src/http/messages.ts'
import type { Instance } from '../src/inventory/records/instance.ts'
import type { Port } from '../src/inventory/records/port.ts'
import type { Project } from '../src/inventory/records/project.ts'
import { emptyRecordSet } from '../src/inventory/records/records.ts'
import type { Subnet } from '../src/inventory/records/subnet.ts'
import type { Inventory } from '../src/inventory/store.ts'
import { type MetadataApi, type MetadataApiDeps, metadataApi } from '../src/metadata-api/metadata-api.ts'
import { sessionTokens } from '../src/metadata-api/session-token.ts'
import { silentLog } from '../src/observe/log.ts'

/** A metadata API over instances in memory, and the requests a metadata agent would send it. */
export class FakeInventory implements Inventory {
  readonly ready: Promise<void>
  readonly #instances = new Map<string, Instance>()
  readonly #ports = new Map<string, Port>()
  readonly #subnets = new Map<string, Subnet>()
  readonly #projects = new Map<string, Project>()
  sequence = 0

  constructor(instances: Iterable<Instance> = [], ready: Promise<void> = Promise.resolve()) {
    this.ready = ready
    for (const instance of instances) this.put(instance)
  }

  caughtUp(): Promise<void> {
    return this.ready
  }

  get records() {
    return { ...emptyRecordSet(), project: this.#projects, subnet: this.#subnets, port: this.#ports }
  }

  /** Instances are immutable: a change puts another object in its place. */
  put(instance: Instance): void {
    this.#instances.set(instance.id.toLowerCase(), instance)
    this.sequence += 1
  }

  putPort(port: Port): void {
    this.#ports.set(port.id, port)
    this.sequence += 1
  }

  putSubnet(subnet: Subnet): void {
    this.#subnets.set(subnet.id, subnet)
    this.sequence += 1
  }

  putProject(project: Project): void {
    this.#projects.set(project.id, project)
    this.sequence += 1
  }

  remove(id: string): void {
    if (!this.#instances.delete(id.toLowerCase())) throw new Error(`no instance ${id}`)
    this.sequence += 1
  }

  instance(id: string): Instance | undefined {
    return this.#instances.get(id.toLowerCase())
  }

  ports(): readonly Port[] {
    return []
  }

  onChange(): () => void {
    return () => undefined
  }
}

/** The deps of a quiet service in Zed's manner that stores passwords in the inventory. */
export function serviceDeps(inventory: FakeInventory, changes: Partial<MetadataApiDeps> = {}): MetadataApiDeps {
  return {
    inventory,
    sharedSecret: 's3cr3t',
    options: {
      release: 'zed',
      dhcpDomain: 'novalocal',
      serviceMetadataProxy: true,
      vendordataProviders: ['StaticJSON'],
    },
    staticVendorData: undefined,
    dynamicVendorData: async () => [],
    setPassword: async (id, password) => {
      const instance = inventory.instance(id)
      if (!instance) throw new Error(`no instance ${id}`)
      inventory.put({ ...instance, password })
    },
    sessionTokens: sessionTokens('s3cr3t', Date.now),
    today: () => '2026-08-01',
    randomSeed: () => new Uint8Array(RANDOM_SEED_BYTES).fill(0xfb),
    log: silentLog,
    ...changes,
  }
}

export function startService(inventory: FakeInventory, changes: Partial<MetadataApiDeps> = {}): MetadataApi {
  return metadataApi(serviceDeps(inventory, changes))
}

export interface Asking {
  readonly method?: string
  readonly target: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array | string
  readonly remoteAddress?: string
}

/** A body comes with its Content-Length unless the headers say otherwise. */
export function request({
  method = 'GET',
  target,
  headers = {},
  body,
  remoteAddress = '192.0.2.99',
}: Asking): HttpRequest {
  const bytes = Buffer.from(body ?? '')
  const fields = Object.entries(headers)
  if (body !== undefined) fields.push(['Content-Length', String(bytes.length)])
  return {
    method,
    target,
    headers: Headers.of(fields),
    remoteAddress,
    id: 'req-test',
    body: async (limit) => {
      if (bytes.length > limit) throw new BodyTooLarge(limit)
      return bytes
    },
  }
}

export function signature(instanceId: string, sharedSecret: string): string {
  return createHmac('sha256', sharedSecret).update(instanceId).digest('hex')
}

export function agentHeaders(
  instance: Pick<Instance, 'id' | 'projectId'>,
  sharedSecret: string,
): Readonly<Record<string, string>> {
  return {
    'X-Forwarded-For': '10.20.0.11',
    'X-Instance-ID': instance.id,
    'X-Tenant-ID': instance.projectId,
    'X-Instance-ID-Signature': signature(instance.id, sharedSecret),
  }
}

/** Names of the header fields as the server sends them: it puts Content-Length first unless the reply places it. */
export function sentFieldNames(reply: HttpReply): readonly string[] {
  const names = reply.headers.map(([name]) => name)
  return names.includes('Content-Length') ? names : ['Content-Length', ...names]
}

export function header(reply: HttpReply, name: string): string | undefined {
  return reply.headers.find(([field]) => field.toLowerCase() === name.toLowerCase())?.[1]
}

export function bodyText(reply: HttpReply): string {
  return Buffer.from(reply.body).toString()
}
