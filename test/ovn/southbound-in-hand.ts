import { CHASSIS, DATAPATH_BINDING, PORT_BINDING, SOUTHBOUND_TABLES } from '../../src/metadata-agent/ovn/southbound.ts'
import type { AnyTable, OvsdbClient, Status, Uuid } from '../../src/ovsdb/ovsdb.ts'
import { createReplica } from '../../src/ovsdb/replica.ts'

const SYNCHRONIZED: Status = { state: 'synchronized', remote: 'unix:sb', method: 'monitor_cond_since' }
const LOST: Status = { state: 'disconnected', remote: 'unix:sb', reason: new Error('gone') }

type Columns = Readonly<Record<string, unknown>>

/** The Southbound database as a client shows it, moment by moment in a test's hand: chassis-1 is `c-1`. */
export class SouthboundInHand {
  readonly #replica = createReplica(SOUTHBOUND_TABLES)
  readonly #listeners = new Set<(event: never) => void>()
  #conditions: (() => void)[] = []
  /** What was asked for in transactions, for the test to answer. */
  readonly transactions: { readonly operations: readonly unknown[]; readonly reply: PromiseWithResolvers<unknown> }[] =
    []
  readonly get = this.#replica.get
  readonly all = this.#replica.all
  readonly find = this.#replica.find
  readonly count = this.#replica.count
  status: Status = SYNCHRONIZED

  constructor() {
    this.put(CHASSIS, 'c-1', { name: 'chassis-1' })
  }

  get client(): OvsdbClient {
    return this as unknown as OvsdbClient
  }

  put(table: AnyTable, uuid: string, row: Columns | undefined): void {
    const old = this.#replica.get(table, uuid as Uuid)
    this.#replica.apply([{ table: table.name, old, row: row && { _uuid: uuid as Uuid, ...row } } as never])
    this.#tell()
  }

  readonly hasColumn = () => true
  readonly setCondition = (): Promise<void> => new Promise((resolve) => this.#conditions.push(resolve))
  readonly transact = (...operations: readonly unknown[]): Promise<unknown> => {
    const reply = Promise.withResolvers<unknown>()
    this.transactions.push({ operations, reply })
    return reply.promise
  }
  readonly onChanges = (listener: () => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
  readonly onStatus = this.onChanges

  /** All conditions that were set are carried out. */
  carryOut(): Promise<void> {
    for (const done of this.#conditions.splice(0)) done()
    return new Promise(setImmediate)
  }

  /** The connection is lost, as far as is told. */
  lose(): void {
    this.status = LOST
    this.#tell()
  }

  addNetwork(datapath: string, id: string): void {
    this.put(DATAPATH_BINDING, datapath, switchOf(id))
  }

  addPort(name: string, datapath: string, address: string): void {
    this.put(PORT_BINDING, name, guestPort(datapath, address))
  }

  #tell(): void {
    for (const listener of this.#listeners) listener(this.status as never)
  }
}

export function switchOf(network: string): Columns {
  return { external_ids: new Map([['name', `neutron-${network}`]]) }
}

/** Bound to chassis-1. */
export function guestPort(datapath: string, address: string): Columns {
  const external_ids = new Map([
    ['neutron:cidrs', `${address}/24`],
    ['neutron:device_id', 'i-1'],
  ])
  const rest = { chassis: 'c-1', requested_chassis: undefined, additional_chassis: [], type: '' }
  return { logical_port: 'lp', datapath, mac: [], external_ids, ...rest }
}

export function localport(datapath: string, mac: string): Columns {
  const external_ids = new Map([
    ['neutron:cidrs', '10.0.0.2/24'],
    ['neutron:device_owner', 'network:distributed'],
  ])
  const rest = { chassis: undefined, requested_chassis: undefined, additional_chassis: [], type: 'localport' }
  return { logical_port: `meta-${datapath}`, datapath, mac: [`${mac} 10.0.0.2`], external_ids, ...rest }
}
