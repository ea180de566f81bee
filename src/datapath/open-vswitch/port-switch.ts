import type { PortSwitch, SwitchPort } from '../../host/port-switch.ts'
import { insert, mutate, named, type OvsdbClient, type RowOf, select } from '../../ovsdb/ovsdb.ts'
import { BRIDGE, IFACE_ID_KEY, INTERFACE, OPEN_VSWITCH, OWNER_KEY, PORT } from './tables.ts'

/** How long the switch may take to let go of a port. One that runs takes milliseconds. */
const UNPLUG_MILLISECONDS = 2_000

/**
 * Open vSwitch by transactions in its own database: what is there is known at every moment without asking, a change of
 * somebody else's announces itself, and no program is started.
 *
 * @param local  follows at least `LOCAL_TABLES`
 * @param mark   what tells our ports from others'
 */
export function openPortSwitch(local: OvsdbClient, mark: string): PortSwitch {
  const known = new Map<string, SwitchPort>()
  let ours: ReadonlySet<string> = new Set()
  let transactions = 0

  function port(device: string): SwitchPort | undefined {
    const now = readPort(local, device)
    const before = known.get(device)
    if (now === undefined) known.delete(device)
    else if (before?.bridge !== now.bridge || before.ifaceId !== now.ifaceId) known.set(device, now)
    return known.get(device)
  }

  /** A transaction of our own: what it changes is known before it resolves, and is no drift. */
  const change: OvsdbClient['transact'] = async (...operations) => {
    transactions += 1
    try {
      return await local.transact(...operations)
    } finally {
      transactions -= 1
    }
  }

  function present(): ReadonlyMap<string, SwitchPort | undefined> {
    return new Map(local.find(PORT, 'byOwner', mark).map(({ name }) => [name, port(name)]))
  }

  async function plug(device: string, wanted: SwitchPort): Promise<void> {
    const [bridge] = local.find(BRIDGE, 'byName', wanted.bridge)
    if (bridge === undefined) throw new Error(`Open vSwitch has no bridge ${wanted.bridge}`)
    const [row] = local.find(PORT, 'byName', device)
    if (row === undefined) {
      await change(
        insert(INTERFACE, { name: device, external_ids: interfaceIds(wanted) }, { name: 'interface' }),
        insert(
          PORT,
          { name: device, interfaces: [named('interface')], external_ids: new Map([[OWNER_KEY, mark]]) },
          { name: 'port' },
        ),
        mutate(BRIDGE, [['_uuid', '==', bridge._uuid]], [['ports', 'insert', [named('port')]]]),
        nextConfiguration,
      )
      return
    }
    if (isPlugged(row, device, wanted)) return
    const elsewhere = local.find(BRIDGE, 'byPort', row._uuid).filter((other) => other !== bridge)
    await change(
      ...elsewhere.map((other) => mutate(BRIDGE, [['_uuid', '==', other._uuid]], [['ports', 'delete', [row._uuid]]])),
      mutate(BRIDGE, [['_uuid', '==', bridge._uuid]], [['ports', 'insert', [row._uuid]]]),
      mutate(PORT, [['_uuid', '==', row._uuid]], replacing('external_ids', OWNER_KEY, mark)),
      ...row.interfaces.map((uuid) =>
        mutate(INTERFACE, [['_uuid', '==', uuid]], replacing('external_ids', IFACE_ID_KEY, wanted.ifaceId)),
      ),
      nextConfiguration,
    )
  }

  function isPlugged({ external_ids }: RowOf<typeof PORT>, device: string, wanted: SwitchPort): boolean {
    const now = port(device)
    return external_ids.get(OWNER_KEY) === mark && now?.bridge === wanted.bridge && now.ifaceId === wanted.ifaceId
  }

  async function unplug(device: string): Promise<void> {
    const [row] = local.find(PORT, 'byName', device)
    if (row === undefined) return
    // A port that no bridge has is no more, and its interface with it.
    const bridges = local.find(BRIDGE, 'byPort', row._uuid)
    const [, [state]] = await change(
      nextConfiguration,
      select(OPEN_VSWITCH, []),
      ...bridges.map(({ _uuid }) => mutate(BRIDGE, [['_uuid', '==', _uuid]], [['ports', 'delete', [row._uuid]]])),
    )
    await reached(local, state?.next_cfg ?? 0)
  }

  return {
    port,
    get ours() {
      const names = local.find(PORT, 'byOwner', mark).map(({ name }) => name)
      const isSame = names.length === ours.size && names.every((name) => ours.has(name))
      if (!isSame) ours = new Set(names)
      return ours
    },
    plug,
    unplug,
    onDrift: (listener) => {
      let before = present()
      return local.onChanges(() => {
        const now = present()
        const differing = [...before].filter(([name, was]) => now.get(name) !== was).map(([name]) => name)
        before = now
        if (transactions === 0) for (const name of differing) listener(`port ${name} of Open vSwitch was changed`)
      })
    },
  }
}

function readPort(local: OvsdbClient, device: string): SwitchPort | undefined {
  const [row] = local.find(PORT, 'byName', device)
  const [bridge] = row === undefined ? [] : local.find(BRIDGE, 'byPort', row._uuid)
  if (row === undefined || bridge === undefined) return undefined
  const ids = row.interfaces.map((uuid) => local.get(INTERFACE, uuid)?.external_ids.get(IFACE_ID_KEY))
  return { bridge: bridge.name, ifaceId: ids[0] ?? '' }
}

function interfaceIds({ ifaceId }: SwitchPort): ReadonlyMap<string, string> {
  return new Map([[IFACE_ID_KEY, ifaceId]])
}

/** A map's `insert` leaves a key that is there as it is. */
function replacing<Column extends string>(column: Column, key: string, value: string) {
  return [
    [column, 'delete', [key]],
    [column, 'insert', new Map([[key, value]])],
  ] as const
}

const nextConfiguration = mutate(OPEN_VSWITCH, [], [['next_cfg', '+=', 1]])

/** Waits until the switch has acted on a change of its database. One that does not run takes up what it finds at its start. */
function reached(local: OvsdbClient, configuration: number): Promise<void> {
  const isReached = () => Array.from(local.all(OPEN_VSWITCH)).every(({ cur_cfg }) => cur_cfg >= configuration)
  if (isReached()) return Promise.resolve()
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, UNPLUG_MILLISECONDS)
  const end = local.onChanges(() => isReached() && resolve())
  return promise.finally(() => {
    clearTimeout(timer)
    end()
  })
}
