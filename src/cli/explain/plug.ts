import { closeSync } from 'node:fs'
import type { PlugFacts, RecordFacts } from '../../explain/facts.ts'
import { linksOutside } from '../../host/examine/namespace.ts'
import { openNetlink } from '../../host/netlink.ts'
import { foreignTables } from '../../host/nftables.ts'
import { readBridgeTable } from '../../host/rtnetlink.ts'
import { bridgeName } from '../../inventory/records/network.ts'
import { tapName } from '../../inventory/records/port.ts'

/** How a port is plugged in on this host. */
export function plugOf({ port, network }: Pick<RecordFacts, 'port' | 'network'>): PlugFacts {
  const links = linksOutside()
  const all = [...links.values()]
  const called = (name: string | undefined) => all.find((link) => link.name === name)
  const bridge = called(network && bridgeName(network.id))
  const tap = called(port && tapName(port))
  const fd = openNetlink()
  try {
    const heard = readBridgeTable(fd).find(
      ({ mac, link }) => mac === port?.macAddress && links.get(link)?.master === bridge?.index,
    )
    return {
      bridge: bridge && { name: bridge.name, mtu: bridge.mtu, isUp: bridge.up },
      tap: tap && { name: tap.name, bridge: links.get(tap.master)?.name, mtu: tap.mtu, isUp: tap.up },
      heardOn: heard && links.get(heard.link)?.name,
      bridgeTables: foreignTables(),
    }
  } finally {
    closeSync(fd)
  }
}
