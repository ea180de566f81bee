import { type Chassis, openChassis, openLocal } from './chassis.ts'
import { type ChassisConnection, connectChassis } from './chassis-connection.ts'
import { type ChassisDatapath, type ChassisGiven, openChassisDatapath } from './chassis-datapath.ts'
import { removeNamespaces } from './remove-namespaces.ts'

/** Followed for it, in this order. */
export const CHASSIS_DATABASES = ['Open_vSwitch', 'OVN_Southbound']

/** A chassis that is served as soon as it is known which it is, and that can be left at any time before and after. */
export interface ServedChassis {
  /** undefined until the local database has told. */
  readonly datapath: ChassisDatapath | undefined
  /** Resolves when the local database has told which chassis this is. @throws Error when it is ended before, or what was told
   *  makes no sense */
  readonly connected: Promise<ConnectedChassis>
  /** Resolves when there are sockets for it, too. @throws the same, and Error when there can be none */
  readonly opened: Promise<ChassisDatapath>
  /** Leaves everything as it is, for the next run to go on. */
  close(): Promise<void>
  /** Removes what is ours, then closes. @returns what could not be removed, a sentence each */
  teardown(): Promise<readonly string[]>
}

/** A chassis of which the Southbound database is already being read. */
export interface ConnectedChassis {
  readonly chassis: Chassis
  readonly connection: ChassisConnection
}

export function serveChassis(given: ChassisGiven): ServedChassis {
  const { values, databases, log } = given
  const ending = new AbortController()
  const { signal } = ending
  const local = openLocal(values.ovsdb_connection, databases)
  let datapath: ChassisDatapath | undefined

  async function connect(): Promise<ConnectedChassis> {
    const { ovn_sb_connection } = values
    const chassis = await openChassis({ local, ovn_sb_connection, databases, log, signal })
    signal.throwIfAborted()
    return { chassis, connection: connectChassis(chassis, values, databases, log) }
  }

  async function open(): Promise<ChassisDatapath> {
    const { chassis, connection } = await connected
    try {
      const sockets = await given.sockets
      signal.throwIfAborted()
      datapath = openChassisDatapath(given, chassis, connection, sockets)
      return datapath
    } catch (error) {
      await connection.close()
      throw error
    }
  }

  // Not after one another: to start who keeps the sockets takes as long as to read the Southbound.
  const connected = connect()
  const opened = open()
  for (const step of [connected, opened]) step.catch(() => undefined) // who waits for it hears of it
  const ended = async () => {
    ending.abort(new Error('this process is ending'))
    return await opened.catch(() => undefined)
  }
  return {
    get datapath() {
      return datapath
    },
    connected,
    opened,
    close: async () => {
      await (await ended())?.close()
      await local.close()
    },
    teardown: async () => {
      const known = await ended()
      const isAnswering = () => local.status.state === 'synchronized'
      await (isAnswering() ? known?.teardown() : known?.close())
      const isDone = known !== undefined && isAnswering()
      const left = isDone ? [] : await removeNamespaces({ ...given, sockets: await given.sockets }, local)
      await local.close()
      return left
    },
  }
}
