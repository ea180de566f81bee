import type { PortId, ProjectId, SecurityGroupId } from '../../records/ids.ts'
import { isNetworkService, type Port, ROUTER_INTERFACE_OWNERS } from '../../records/port.ts'
import { formatPath, type Path } from '../problem.ts'
import type { PortItem } from '../schema.ts'
import { type Binding, type Bindings, formerInterfaces, labelOfDevice } from './bindings.ts'
import type { Contents } from './contents.ts'
import { ownerOf } from './owned-nouns.ts'
import { type Planning, soundItems } from './planning.ts'
import type { AddressRequest } from './settle.ts'
import { defaultWishes, explicitWishes, type Wish } from './wishes.ts'

/** The ports the file lists under a name of their own. */
export function filePortRequests(contents: Contents, bindings: Bindings, planning: Planning): AddressRequest[] {
  return [...soundItems(planning, 'port', contents.port)].flatMap(([item, id]) => {
    const network = planning.resolveQuietly('network', item.network)
    if (network === undefined) return []
    const { fixed_ips: fixedIps } = item
    const wishes =
      fixedIps === undefined ? defaultWishes(network, item.at, planning) : explicitWishes(network, fixedIps, planning)
    const projectId = ownerOf('port', id, planning)
    const securityGroupIds = resolveGroups(item.security_groups, projectId, item.at, planning)
    if (wishes === undefined || securityGroupIds === undefined) return []
    const binding = bindings.get(id) ?? otherBinding(id, planning)
    const deviceId = binding?.deviceId ?? item.device_id ?? ''
    const deviceOwner = binding?.deviceOwner ?? item.device_owner ?? ''
    return portRequest(
      {
        id,
        networkId: network,
        projectId,
        name: item.name ?? '',
        adminStateUp: item.admin_state_up ?? true,
        securityGroupIds,
        deviceId,
        deviceOwner,
        vnicType: item['binding:vnic_type'] ?? 'normal',
        vifType: item['binding:vif_type'] ?? (deviceId === '' ? 'unbound' : 'bridge'),
        portSecurityEnabled: item.port_security_enabled ?? !isNetworkService({ deviceOwner }),
        allowedAddressPairs: (item.allowed_address_pairs ?? []).map(({ ip_address, mac_address }) => ({
          ipAddress: ip_address,
          macAddress: mac_address ?? null,
        })),
      },
      {
        at: item.at,
        label: binding?.label ?? `port ${item.name ?? formatPath(item.at)}`,
        wishes,
        mac: item.mac_address ?? null,
        mayBeGateway: binding?.mayBeGateway ?? isRouterOwner(item),
      },
      planning,
    )
  })
}

/** A server or router that the file does not speak of keeps its port, though the file may change the port itself. */
function otherBinding(id: PortId, planning: Planning): Binding | undefined {
  const former = planning.draft.port.get(id)
  if (former === undefined || planning.isInFile(former.deviceId)) return undefined
  const { deviceId, deviceOwner } = former
  if (!planning.draft.server.has(deviceId) && !planning.draft.router.has(deviceId)) return undefined
  const mayBeGateway = ROUTER_INTERFACE_OWNERS.has(deviceOwner)
  return { deviceId, deviceOwner, label: labelOfDevice(deviceId, planning), mayBeGateway }
}

function isRouterOwner({ device_owner: owner }: PortItem): boolean {
  return owner?.startsWith('network:router') === true
}

/** A port without its addresses, which are settled later. */
export type PortFields = Omit<Port, 'macAddress' | 'fixedIps'>

/** A port that no one lists by itself: it is made for the device it belongs to. */
export function madePort(
  fields: Pick<
    Port,
    'id' | 'networkId' | 'projectId' | 'securityGroupIds' | 'deviceId' | 'deviceOwner' | 'portSecurityEnabled'
  >,
): PortFields {
  return { name: '', adminStateUp: true, vnicType: 'normal', vifType: 'bridge', allowedAddressPairs: [], ...fields }
}

/** The request that ends as this port. */
export function portRequest(
  port: PortFields,
  request: {
    readonly at: Path
    readonly label: string
    readonly wishes: readonly Wish[]
    readonly mac: AddressRequest['mac']
    readonly mayBeGateway: boolean
  },
  planning: Planning,
): AddressRequest {
  const former = planning.draft.port.get(port.id)
  return {
    ...request,
    id: port.id,
    networkId: port.networkId,
    former: former?.networkId === port.networkId ? former : undefined,
    put: (settled) => planning.draft.port.set(port.id, { ...port, ...settled }),
  }
}

/** The groups by name or id; the project's `default` when nothing is said. undefined after reporting what is unknown. */
export function resolveGroups(
  references: readonly string[] | undefined,
  projectId: ProjectId,
  at: Path,
  planning: Planning,
): readonly SecurityGroupId[] | undefined {
  const ids =
    references === undefined
      ? [planning.resolveQuietly('security_group', 'default', projectId)]
      : references.map((reference, i) =>
          planning.resolve('security_group', reference, [...at, 'security_groups', i], projectId),
        )
  const found = ids.filter((id) => id !== undefined)
  return found.length === ids.length ? found : undefined
}

/** The ports that were made for a device: those without a name. @param first  ids in the order they are wanted */
export function portsMadeFor(device: string, first: readonly PortId[], planning: Planning): readonly Port[] {
  const ports = formerInterfaces(device, planning).filter(({ name }) => name === '')
  const rank = (port: Port) => (first.includes(port.id) ? first.indexOf(port.id) : first.length)
  return ports.toSorted((a, b) => rank(a) - rank(b))
}
