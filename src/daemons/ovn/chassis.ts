import { LOCAL_TABLES, OPEN_VSWITCH } from '../../datapath/open-vswitch/tables.ts'
import type { Log } from '../../observe/log.ts'
import { type OvsdbClient, openOvsdb } from '../../ovsdb/ovsdb.ts'
import type { Databases } from './databases.ts'

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
export async function openChassis(remotes: string, databases: Databases, log: Log): Promise<Chassis> {
  const local = openOvsdb({ remotes, database: 'Open_vSwitch', tables: LOCAL_TABLES })
  databases.follow('Open_vSwitch', local, LOCAL_TABLES)
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
