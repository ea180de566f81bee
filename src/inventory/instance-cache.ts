import { type AssemblyOptions, assembleInstance, type Related } from './assemble.ts'
import type { InstanceId } from './records/ids.ts'
import type { Instance } from './records/instance.ts'
import { DHCP_PORT } from './records/port.ts'
import type { Change } from './records/records.ts'
import type { Server } from './records/server.ts'

interface Kept {
  readonly instance: Instance
  /** Keys of everything that was looked at when it was assembled. */
  readonly sources: ReadonlySet<string>
}

/** Instances as they were last assembled. Each remembers what it was made of and is dropped when any of that changes,
 *  so an instance's identity names its version, and a change costs as much as it affects. */
export class InstanceCache {
  readonly #kept = new Map<InstanceId, Kept>()
  readonly #dependents = new Map<string, Set<InstanceId>>()
  readonly #related: Related
  readonly #options: AssemblyOptions

  constructor(related: Related, options: AssemblyOptions) {
    this.#related = related
    this.#options = options
  }

  get(server: Server): Instance {
    const known = this.#kept.get(server.id)
    if (known !== undefined) return known.instance
    const sources = new Set([`server ${server.id}`])
    const instance = assembleInstance(server, watched(this.#related, sources), this.#options)
    this.#kept.set(server.id, { instance, sources })
    for (const source of sources) {
      const dependents = this.#dependents.get(source)
      if (dependents === undefined) this.#dependents.set(source, new Set([server.id]))
      else dependents.add(server.id)
    }
    return instance
  }

  /** Forgets every instance that is made of the changed record. @param before  the record as it was */
  drop(change: Change, before: unknown): void {
    for (const source of sourcesOf(change, before)) {
      for (const id of this.#dependents.get(source) ?? []) this.#forget(id)
    }
  }

  #forget(id: InstanceId): void {
    for (const source of this.#kept.get(id)?.sources ?? []) {
      const dependents = this.#dependents.get(source)
      dependents?.delete(id)
      if (dependents?.size === 0) this.#dependents.delete(source)
    }
    this.#kept.delete(id)
  }
}

/** The same look-ups, noting what was asked for: also what was not found, since it may come. */
function watched(related: Related, sources: Set<string>): Related {
  return {
    record: (noun, id) => {
      sources.add(`${noun} ${id}`)
      return related.record(noun, id)
    },
    dhcpPorts: (network) => {
      sources.add(`dhcp ports of ${network}`)
      return related.dhcpPorts(network)
    },
    floatingIps: (port) => {
      sources.add(`floating IPs of ${port}`)
      return related.floatingIps(port)
    },
  }
}

/** The keys under which a changed record can have been looked at, before the change and after. */
function sourcesOf(change: Change, before: unknown): readonly string[] {
  const id = change.op === 'put' ? change.record.id : change.id
  const versions = [before, change.op === 'put' ? change.record : undefined] as Partial<Record<string, string | null>>[]
  return [
    `${change.noun} ${id}`,
    ...versions.flatMap((version) => {
      if (version === undefined) return []
      if (change.noun === 'port' && version['deviceOwner'] === DHCP_PORT)
        return [`dhcp ports of ${version['networkId']}`]
      if (change.noun === 'floating_ip') return [`floating IPs of ${version['portId']}`]
      return []
    }),
  ]
}
