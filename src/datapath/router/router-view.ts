import { createHash } from 'node:crypto'
import type { IpAddress, MacAddress } from '../../inventory/records/address.ts'
import type { FloatingIp } from '../../inventory/records/floating-ip.ts'
import type { FormerInterface } from '../../inventory/records/former-interface.ts'
import type { RouterId, SubnetId } from '../../inventory/records/ids.ts'
import type { Network } from '../../inventory/records/network.ts'
import { type FixedIp, type Port, tapName } from '../../inventory/records/port.ts'
import type { Router } from '../../inventory/records/router.ts'
import type { Subnet } from '../../inventory/records/subnet.ts'

/** One router with all that its namespace depends on, in an order that does not depend on how the records were stored. */
export interface RouterView {
  readonly id: RouterId
  /** undefined when it is deleted, or down: what is left are its former interfaces. */
  readonly router: Router | undefined
  /** By device name. */
  readonly interfaces: readonly Interface[]
  readonly gateway: Interface | undefined
  /** Those of fixed IPs behind the router, by address. */
  readonly floatingIps: readonly Translation[]
}

/** A device in the namespace. */
export interface Interface {
  /** `qr-` or `qg-` and 11 characters of an id. */
  readonly device: string
  readonly peer: string
  readonly macAddress: MacAddress
  readonly network: Network
  readonly addresses: readonly { readonly address: IpAddress; readonly subnet: Subnet }[]
  /** Detached: it answers for metadata and nothing else, until guests have renewed their leases. */
  readonly isFormer: boolean
}

export interface Translation {
  readonly floating: IpAddress
  readonly fixed: IpAddress
}

/** The records a view is made of. */
export interface RouterRecords {
  readonly id: RouterId
  /** Whatever its state. */
  readonly router: Router | undefined
  /** Its interfaces. */
  readonly ports: readonly Port[]
  /** Those that guests may still send to, with these of their addresses. */
  readonly formers: readonly FormerInterface[]
  /** All of them, its external one too. */
  readonly networks: readonly Network[]
  readonly subnets: readonly Subnet[]
  /** Those that are associated with fixed IPs behind it. */
  readonly floatingIps: readonly FloatingIp[]
}

export function viewRouter(records: RouterRecords): RouterView {
  const { id, formers } = records
  const router = records.router?.adminStateUp ? records.router : undefined
  const attached = router === undefined ? [] : records.ports.filter(({ adminStateUp }) => adminStateUp)
  const isAttached = (former: FormerInterface) => attached.some((port) => port.id === former.id)
  const interfaces = [
    ...attached.map((port) => {
      // An address it had before stays beside the one it has now.
      const former = formers.find((each) => each.id === port.id)
      return interfaceOf(port, [...port.fixedIps, ...(former?.fixedIps ?? [])], false, records)
    }),
    ...formers.filter((each) => !isAttached(each)).map((each) => interfaceOf(each, each.fixedIps, true, records)),
  ]
  return {
    id,
    router,
    interfaces: interfaces.filter((each) => each !== undefined).sort(byDevice),
    gateway: router === undefined ? undefined : gatewayOf(router, records),
    floatingIps: records.floatingIps
      .flatMap(({ address, fixedIpAddress: fixed }) => (fixed === null ? [] : { floating: address, fixed }))
      .sort((a, b) => (a.floating < b.floating ? -1 : 1)),
  }
}

function interfaceOf(
  port: Pick<Port, 'id' | 'networkId' | 'macAddress'>,
  fixedIps: readonly FixedIp[],
  isFormer: boolean,
  records: RouterRecords,
): Interface | undefined {
  const network = records.networks.find(({ id }) => id === port.networkId)
  if (network === undefined) return undefined
  const { macAddress } = port
  const names = { device: `qr-${port.id.slice(0, 11)}`, peer: tapName(port) }
  return { ...names, macAddress, network, addresses: addressesOf(fixedIps, records), isFormer }
}

/** A gateway is no port in the inventory, so its device is named after the router, and its MAC made of its id. */
function gatewayOf({ id, externalGateway }: Router, records: RouterRecords): Interface | undefined {
  const network = records.networks.find((each) => each.id === externalGateway?.networkId)
  if (externalGateway === null || network === undefined) return undefined
  const name = id.slice(0, 11)
  return {
    device: `qg-${name}`,
    peer: `tap${name}`,
    macAddress: macOf(id),
    network,
    addresses: addressesOf(externalGateway.fixedIps, records),
    isFormer: false,
  }
}

/** Neutron's own range of MACs, `base_mac`. */
function macOf(id: RouterId): MacAddress {
  const [a, b, c] = createHash('sha256').update(id).digest()
  const octets = [a, b, c].map((octet = 0) => octet.toString(16).padStart(2, '0'))
  return `fa:16:3e:${octets.join(':')}` as MacAddress
}

function addressesOf(fixedIps: readonly FixedIp[], { subnets }: RouterRecords): Interface['addresses'] {
  const byId = new Map<SubnetId, Subnet>(subnets.map((subnet) => [subnet.id, subnet]))
  return fixedIps.flatMap(({ subnetId, ipAddress: address }) => {
    const subnet = byId.get(subnetId)
    return subnet === undefined ? [] : [{ address, subnet }]
  })
}

function byDevice(a: Interface, b: Interface): number {
  return a.device < b.device ? -1 : 1
}
