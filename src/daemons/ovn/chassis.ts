import { LOCAL_TABLES, OPEN_VSWITCH } from '../../datapath/open-vswitch/tables.ts'
import type { Log } from '../../observe/log.ts'
import { type OvsdbClient, openOvsdb } from '../../ovsdb/ovsdb.ts'

/** What the local Open_vSwitch database says of this chassis. */
export interface Chassis {
  readonly local: OvsdbClient
  /** `system-id`, by which OVN knows it. */
  readonly name: string
  /** The integration bridge as it is called now. */
  readonly bridge: () => string
  /** What ovn-controller is given as the Southbound database; undefined when nobody has said. */
  readonly remote: string | undefined
}

const USUAL_BRIDGE = 'br-int'

/** Resolves when the database can be read and this machine has a name in OVN: whoever starts first waits for the other. */
export async function openChassis(remotes: string, log: Log): Promise<Chassis> {
  const local = openOvsdb({ remotes, database: 'Open_vSwitch', tables: LOCAL_TABLES })
  tellStatus(local, 'Open_vSwitch', log)
  await local.synchronized()
  const id = (key: string) => Array.from(local.all(OPEN_VSWITCH))[0]?.external_ids.get(key)
  const systemId = () => id('system-id')
  if (systemId() === undefined) log.warn('Open_vSwitch.external_ids has no system-id yet: waiting for one')
  const name = await untilDefined(local, systemId)
  local.onChanges(() => {
    if (systemId() !== name) log.error({ was: name, is: systemId() }, 'this chassis was renamed: restart this agent')
  })
  return { local, name, bridge: () => id('ovn-bridge') ?? USUAL_BRIDGE, remote: id('ovn-remote') }
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

/** Each connection made and lost, for the log. */
export function tellStatus(client: OvsdbClient, database: string, log: Log): void {
  let lastReason = ''
  client.onStatus((status) => {
    if (status.state === 'synchronized') {
      lastReason = ''
      log.info({ database, remote: status.remote, method: status.method }, 'database is synchronized')
    } else if (status.state === 'disconnected' && status.reason.message !== lastReason) {
      lastReason = status.reason.message
      log.warn({ database, remote: status.remote, reason: lastReason }, 'database is not connected')
    }
  })
}
