import { setTimeout as pause } from 'node:timers/promises'
import type { AssemblyOptions } from './assemble.ts'
import { CatalogIndex } from './catalog-index.ts'
import { standingFixedIps } from './former-interfaces.ts'
import { InstanceCache } from './instance-cache.ts'
import type { IpAddress, MacAddress } from './records/address.ts'
import type { InstanceId, NetworkId, RouterId, SubnetId } from './records/ids.ts'
import type { Port } from './records/port.ts'
import { type Change, emptyRecordSet, NOUNS, type Noun, type Records } from './records/records.ts'
import type { Feed, Following, Inventory, InventoryStore, Snapshot } from './store.ts'

/** What the catalog has to say while it runs; a pino logger is one. */
export interface CatalogLog {
  warn(fields: object, message: string): void
}

/** The same maps for as long as the catalog lives, changed in place. */
type LiveRecords = { readonly [N in Noun]: Map<string, Records[N]> }

export interface Catalog extends Inventory {
  /** Ends following the store. The store itself stays open. */
  close(): void
}

const FIRST_RETRY_MILLISECONDS = 100
const LAST_RETRY_MILLISECONDS = 5_000

/** Reads the inventory into memory and keeps it true. A store that cannot be read is asked again until `close`. */
export function openInventory(
  store: InventoryStore,
  log?: CatalogLog,
  options: AssemblyOptions = { flatInjected: false },
): Catalog {
  const records = emptyRecordSet() as LiveRecords
  const index = new CatalogIndex()
  const instances = new InstanceCache(
    {
      record: (noun, id) => records[noun].get(id),
      dhcpPorts: (network) => index.dhcpPorts(network),
      floatingIps: (port) => index.floatingIps(port),
    },
    options,
  )
  const listeners = new Set<(nouns: ReadonlySet<Noun>) => void>()
  const closing = new AbortController()
  let sequence = 0
  const following = Promise.withResolvers<Following>()

  function apply(change: Change): void {
    const id = change.op === 'put' ? change.record.id : change.id
    const byId: Map<string, Records[Noun]> = records[change.noun]
    const before = byId.get(id)
    if (change.op === 'put') byId.set(id, change.record)
    else byId.delete(id)
    index.update(change, before)
    instances.drop(change, before)
  }

  function portsOn(networks: readonly NetworkId[], client: IpAddress | MacAddress): readonly Port[] {
    return networks.map((network) => index.portOn(network, client)).filter((port) => port !== undefined)
  }

  /** The subnets a router has an interface in, and those it had one in until lately, with their networks. */
  function subnetsBehind(router: RouterId, formerSince = Number.POSITIVE_INFINITY): ReadonlyMap<SubnetId, NetworkId> {
    const attached = index.routerSubnets(router)
    const formers = index.formerInterfaces(router).filter(({ detachedAt }) => detachedAt >= formerSince)
    if (formers.length === 0) return attached
    const around = {
      subnet: (id: SubnetId) => records.subnet.get(id),
      portOn: (network: NetworkId, address: IpAddress) => index.portOn(network, address),
      attached: [...attached.keys()].map((id) => records.subnet.get(id)).filter((subnet) => subnet !== undefined),
    }
    const former = formers.flatMap((each) =>
      standingFixedIps(each, around).map(({ subnetId }) => [subnetId, each.networkId] as const),
    )
    return new Map([...former, ...attached])
  }

  function takeIn(feed: Feed): void {
    for (const change of feed.changes) apply(change)
    sequence = feed.sequence
    const nouns = new Set(feed.changes.map(({ noun }) => noun))
    for (const listener of listeners) listener(nouns)
  }

  async function start(): Promise<void> {
    const snapshot = await loadPatiently(store, closing.signal, log)
    if (snapshot === undefined) return await new Promise<never>(() => {})
    for (const noun of NOUNS) {
      for (const record of snapshot.records[noun].values()) apply({ op: 'put', noun, record } as Change)
    }
    sequence = snapshot.sequence
    const followed = store.follow(sequence, takeIn, (error) =>
      log?.warn({ err: error }, 'changes of the inventory cannot be read; what is known is served meanwhile'),
    )
    closing.signal.addEventListener('abort', () => followed.end(), { once: true })
    following.resolve(followed)
  }

  return {
    ready: start(),
    caughtUp: async () => (await following.promise).caughtUp(),
    records,
    get sequence() {
      return sequence
    },

    instance(id: InstanceId | string) {
      const server = records.server.get(id) ?? records.server.get(id.toLowerCase())
      return server === undefined ? undefined : instances.get(server)
    },

    ports(within, client) {
      const wanted = 'mac' in client ? client.mac : client.fixedIp
      if ('networkId' in within) return portsOn([within.networkId], wanted)
      const subnets = subnetsBehind(within.routerId, within.formerSince)
      const found = portsOn([...new Set(subnets.values())], wanted)
      if ('mac' in client) return found
      // An address in a subnet the router does not serve may be anybody's: it must neither answer nor hide the right one.
      return found.filter(({ fixedIps }) =>
        fixedIps.some(({ subnetId, ipAddress }) => ipAddress === wanted && subnets.has(subnetId)),
      )
    },

    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },

    close: () => closing.abort(),
  }
}

/** @returns undefined when `closing` came first */
async function loadPatiently(
  store: InventoryStore,
  closing: AbortSignal,
  log: CatalogLog | undefined,
): Promise<Snapshot | undefined> {
  for (let retry = FIRST_RETRY_MILLISECONDS; !closing.aborted; retry = Math.min(2 * retry, LAST_RETRY_MILLISECONDS)) {
    try {
      const snapshot = await store.load()
      return closing.aborted ? undefined : snapshot
    } catch (error) {
      log?.warn({ err: error, retry_milliseconds: retry }, 'the inventory cannot be read; trying again')
      await pause(retry, undefined, { signal: closing }).catch(() => undefined)
    }
  }
  return undefined
}
