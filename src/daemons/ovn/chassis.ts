import { LOCAL_TABLES, OPEN_VSWITCH } from '../../datapath/open-vswitch/tables.ts'
import type { Log } from '../../observe/log.ts'
import { type OvsdbClient, openOvsdb } from '../../ovsdb/ovsdb.ts'
import type { Databases } from './databases.ts'

/** What the local Open_vSwitch database says of this chassis. */
export interface Chassis {
  readonly local: OvsdbClient
  /** `system-id`, by which OVN knows it. */
  readonly name: string
  /** Where the Southbound database is: as the option says, else as ovn-controller is told. */
  readonly southbound: string
  /** The integration bridge as it is called now. */
  readonly bridge: () => string
  /** @param listener  told its name whenever that is another @returns what ends it */
  readonly onAnotherBridge: (listener: (bridge: string) => void) => () => void
}

export interface ChassisAsked {
  /** Its database. */
  readonly local: OvsdbClient
  /** The option: empty where Open vSwitch is to say. */
  readonly ovn_sb_connection: string
  readonly databases: Databases
  readonly log: Log
  /** Ends the waiting. */
  readonly signal: AbortSignal
}

const USUAL_BRIDGE = 'br-int'

export function openLocal(remotes: string, databases: Databases): OvsdbClient {
  const local = openOvsdb({ remotes, database: 'Open_vSwitch', tables: LOCAL_TABLES })
  databases.follow('Open_vSwitch', local, LOCAL_TABLES)
  return local
}

/** Resolves when the database can be read, this machine has a name in OVN, and it is known where OVN is: whoever starts
 *  first waits for the other. @throws the signal's reason */
export async function openChassis(asked: ChassisAsked): Promise<Chassis> {
  const { local, ovn_sb_connection, databases, log, signal } = asked
  const id = (key: string) => Array.from(local.all(OPEN_VSWITCH))[0]?.external_ids.get(key)
  const systemId = () => id('system-id')
  const southboundRemote = () => ovn_sb_connection || id('ovn-remote')

  const untilTold = (read: () => string | undefined, why: string) => {
    if (read() === undefined) {
      databases.waitsFor('OVN_Southbound', why)
      log.warn(`${why}: waiting for one`)
    }
    return unlessAborted(untilDefined(local, read), signal)
  }
  await unlessAborted(local.synchronized(), signal)
  const name = await untilTold(systemId, 'Open_vSwitch.external_ids has no system-id yet')
  const southbound = await untilTold(
    southboundRemote,
    'no ovn_sb_connection is set, and Open_vSwitch.external_ids has no ovn-remote yet',
  )

  const tellAnother = (read: () => string | undefined, was: string, what: string) =>
    onAnother(local, read, (is) => {
      if (is === was) log.info({ is }, `${what} is what it was again`)
      else log.error({ was, is }, `${what} is another one: restart this agent`)
    })
  tellAnother(systemId, name, 'the name of this chassis (system-id)')
  tellAnother(southboundRemote, southbound, 'the Southbound database (ovn-remote)')
  const bridge = () => id('ovn-bridge') ?? USUAL_BRIDGE
  return { local, name, southbound, bridge, onAnotherBridge: (listener) => onAnother(local, bridge, listener) }
}

/** Tells each change once, however many others there are. */
function onAnother<T>(local: OvsdbClient, read: () => T, tell: (now: T) => void): () => void {
  let present = read()
  return local.onChanges(() => {
    const now = read()
    if (now === present) return
    present = now
    tell(now)
  })
}

function untilDefined<T>(client: OvsdbClient, read: () => T | undefined): Promise<T> {
  const { promise, resolve } = Promise.withResolvers<T>()
  const look = () => {
    const value = read()
    if (value !== undefined) resolve(value)
  }
  const end = client.onChanges(look)
  look()
  return promise.finally(end)
}

function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  if (signal.aborted) reject(signal.reason)
  return Promise.race([work, promise])
}
