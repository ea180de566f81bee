import { overlap } from '../../records/address.ts'
import type { NetworkId, PortId } from '../../records/ids.ts'
import type { Port } from '../../records/port.ts'
import type { ExternalGateway, Router } from '../../records/router.ts'
import type { Subnet } from '../../records/subnet.ts'
import type { Path } from '../problem.ts'
import type { RouterItem } from '../schema.ts'
import type { Binding, Bindings } from './bindings.ts'
import type { Contents } from './contents.ts'
import { labelOf } from './networks.ts'
import { ownerOf } from './owned-nouns.ts'
import { type Planning, soundItems } from './planning.ts'
import { madePort, portRequest, portsMadeFor } from './ports.ts'
import type { AddressRequest } from './settle.ts'
import { defaultWishes, explicitWishes } from './wishes.ts'

/** Interfaces that share a port: one in IPv4, all IPv6 subnets of one network. */
interface PlannedInterface {
  readonly at: Path
  readonly networkId: NetworkId
  readonly subnets: Subnet[]
}

/** Puts the routers into the draft. @returns requests for their interfaces and for the addresses of their gateways */
export function routerRequests(contents: Contents, bindings: Bindings, planning: Planning): AddressRequest[] {
  return [...soundItems(planning, 'router', contents.router)].flatMap(([item, id]) => {
    const router: Router = {
      id,
      projectId: ownerOf('router', id, planning),
      name: item.name,
      adminStateUp: item.admin_state_up ?? true,
      externalGateway: null,
      routes: item.routes?.map(({ destination, nexthop }) => ({ destination, nexthop })) ?? [],
    }
    planning.draft.router.set(id, router)
    return [...interfaceRequests(item, router, bindings, planning), ...gatewayRequest(item, router, planning)]
  })
}

function interfaceRequests(item: RouterItem, router: Router, bindings: Bindings, planning: Planning): AddressRequest[] {
  const binding: Binding = {
    deviceId: router.id,
    deviceOwner: 'network:router_interface',
    label: `router ${router.name}`,
    mayBeGateway: true,
  }
  const planned: PlannedInterface[] = []
  const joined: Subnet[] = []
  const kept: PortId[] = []
  for (const entry of item.interfaces ?? []) {
    if ((entry.subnet === undefined) === (entry.port === undefined)) {
      planning.report(entry.at, 'needs a subnet or a port, and not both')
    } else if (entry.port !== undefined) {
      const port = bindings.bind(entry.port, binding, [...entry.at, 'port'], router.projectId, planning)
      if (port !== undefined) kept.push(port)
    } else {
      const subnet = subnetFor(entry.subnet ?? '', entry.at, joined, router, planning)
      if (subnet !== undefined) addInterface(planned, subnet, entry.at)
    }
  }
  const former = new Set(portsMadeFor(router.id, [], planning).filter(({ id }) => !kept.includes(id)))
  const requests = planned.map((entry) => interfaceRequest(entry, binding, router, former, planning))
  bindings.keep(router.id, [...kept, ...requests.map(({ id }) => id as PortId)])
  return requests
}

/** The port on the gateway addresses of the subnets: the one the router has there already, else a new one. */
function interfaceRequest(
  { at, networkId, subnets }: PlannedInterface,
  { deviceId, deviceOwner, label, mayBeGateway }: Binding,
  { projectId }: Router,
  former: Set<Port>,
  planning: Planning,
): AddressRequest {
  const ids = new Set(subnets.map(({ id }) => id))
  const known = [...former].find(({ fixedIps }) => fixedIps.some(({ subnetId }) => ids.has(subnetId)))
  if (known !== undefined) former.delete(known)
  const wishes = subnets.map((subnet) => ({
    at,
    candidates: [subnet],
    ...(subnet.gatewayIp !== null && { address: subnet.gatewayIp }),
  }))
  return portRequest(
    madePort({
      id: known?.id ?? (planning.generate.uuid() as PortId),
      networkId,
      projectId,
      securityGroupIds: [],
      deviceId,
      deviceOwner: known?.deviceOwner ?? deviceOwner,
      portSecurityEnabled: false,
    }),
    { at, label, wishes, mac: null, mayBeGateway },
    planning,
  )
}

/** The subnet an interface is for, unless the router cannot have one there. */
function subnetFor(
  reference: string,
  at: Path,
  joined: Subnet[],
  router: Router,
  planning: Planning,
): Subnet | undefined {
  const id = planning.resolve('subnet', reference, [...at], undefined)
  const subnet = id === undefined ? undefined : planning.draft.subnet.get(id)
  if (subnet === undefined) return undefined
  const other = joined.find(({ cidr }) => overlap(cidr, subnet.cidr))
  if (other === subnet) planning.report(at, `${labelOf(subnet)} is an interface of this router already; leave one out`)
  else if (other !== undefined) {
    planning.report(
      at,
      `${labelOf(subnet)} overlaps ${labelOf(other)} on router ${router.name}; one router cannot serve both`,
    )
  } else if (subnet.gatewayIp === null) {
    planning.report(
      at,
      `${labelOf(subnet)} has no gateway address for the router; give it a gateway_ip, or use {port: ...}`,
    )
  } else {
    joined.push(subnet)
    return subnet
  }
  return undefined
}

/** A second IPv6 subnet of a network joins the port of the first, as Neutron does. */
function addInterface(planned: PlannedInterface[], subnet: Subnet, at: Path): void {
  const shared = planned.find(
    ({ subnets: [first] }) => first?.networkId === subnet.networkId && first.ipVersion === 6 && subnet.ipVersion === 6,
  )
  if (shared === undefined) planned.push({ at, networkId: subnet.networkId, subnets: [subnet] })
  else shared.subnets.push(subnet)
}

function gatewayRequest(item: RouterItem, router: Router, planning: Planning): AddressRequest[] {
  const info = item.external_gateway_info
  if (info === undefined || info === null || info.broken) return []
  const networkId = planning.resolve('network', info.network, [...info.at, 'network'], router.projectId)
  const network = networkId === undefined ? undefined : planning.draft.network.get(networkId)
  if (networkId === undefined || network === undefined) return []
  if (!network.external) {
    planning.report([...info.at, 'network'], `network ${network.name} is not external; give it "router:external: true"`)
    return []
  }
  const wishes =
    info.external_fixed_ips === undefined
      ? defaultWishes(networkId, info.at, planning)
      : explicitWishes(networkId, info.external_fixed_ips, planning)
  if (wishes === undefined) return []
  const former = planning.existing.router.get(router.id)?.externalGateway
  return [
    {
      id: router.id,
      at: info.at,
      label: `the gateway of router ${router.name}`,
      networkId,
      wishes,
      mac: 'none',
      former: former?.networkId === networkId ? { fixedIps: former.fixedIps } : undefined,
      mayBeGateway: false,
      put({ fixedIps }) {
        const externalGateway: ExternalGateway = { networkId, enableSnat: info.enable_snat ?? true, fixedIps }
        planning.draft.router.set(router.id, { ...router, externalGateway })
      },
    },
  ]
}
