import { type IpAddress, parseIpAddress } from '../../inventory/records/address.ts'
import type { NetworkId, PortId, ProjectId, RouterId } from '../../inventory/records/ids.ts'
import { ROUTER_INTERFACE_OWNERS } from '../../inventory/records/port.ts'
import type { Client, FoundPort, PortDirectory, Within } from '../port-directory.ts'
import type { NeutronSession, Query } from './session.ts'

/** A port as Neutron tells it, of the fields that are asked for. */
interface WirePort {
  readonly id: string
  readonly network_id: string
  readonly project_id?: string
  readonly tenant_id?: string
  readonly device_id: string
  readonly device_owner: string
  readonly fixed_ips: readonly { readonly subnet_id: string; readonly ip_address: string }[]
  readonly allowed_address_pairs?: readonly { readonly ip_address: string }[]
}

/** Where ports are looked for. Behind a router only its subnets count: a network may have others. */
interface Place {
  readonly networks: readonly NetworkId[]
  /** undefined for all of the networks. */
  readonly subnets: ReadonlySet<string> | undefined
}

const FIELDS = ['id', 'network_id', 'project_id', 'tenant_id', 'device_id', 'device_owner', 'fixed_ips']
const PAIR_FIELDS = [...FIELDS, 'allowed_address_pairs']
/** Networks in one question: the line that asks must not grow beyond what servers read (8 kB). */
const NETWORKS_AT_ONCE = 100
/** Ports a page where a whole network is read. */
const PAGE = 500
/** A question with all its tries. A guest waits for it, and gives up after 10 s. */
const QUESTION_MILLISECONDS = 8_000

/**
 * The ports of Neutron, asked for by its REST API with the filters that neutron-metadata-agent sends by RPC. Nothing is
 * kept: see kept-directory.ts.
 */
export function neutronDirectory(session: NeutronSession): PortDirectory {
  /** Reads of whole places that are under way: however many ask at once, Neutron is asked by one of them. */
  const reading = new Map<string, Promise<readonly WirePort[]>>()

  async function ports(query: Query, signal: AbortSignal): Promise<readonly WirePort[]> {
    return (await session.list('ports', query, signal)) as readonly WirePort[]
  }

  async function placeOf(within: Within, signal: AbortSignal): Promise<Place> {
    if ('networkId' in within) return { networks: [within.networkId], subnets: undefined }
    const interfaces = await ports(interfacesOf(within.routerId), signal)
    return {
      networks: [...new Set(interfaces.map((port) => port.network_id as NetworkId))],
      subnets: new Set(interfaces.flatMap((port) => port.fixed_ips.map((each) => each.subnet_id))),
    }
  }

  /** No networks, no question: Neutron would take a filter without values for no filter, and search the whole cloud. */
  async function portsIn({ networks }: Place, query: Query, signal: AbortSignal): Promise<readonly WirePort[]> {
    const found: WirePort[] = []
    for (let i = 0; i < networks.length; i += NETWORKS_AT_ONCE) {
      const filters = networks.slice(i, i + NETWORKS_AT_ONCE).map((id) => ['network_id', id] as const)
      found.push(...(await ports([...query, ...filters], signal)))
    }
    return found
  }

  async function everyPort(within: Within): Promise<readonly WirePort[]> {
    const signal = AbortSignal.timeout(QUESTION_MILLISECONDS)
    const place = await placeOf(within, signal)
    return await portsIn(place, [['limit', String(PAGE)], ...fields(PAIR_FIELDS)], signal)
  }

  return {
    find: async (within, client) => {
      const signal = AbortSignal.timeout(QUESTION_MILLISECONDS)
      const place = await placeOf(within, signal)
      const found = await portsIn(place, [filterOf(client), ...fields(FIELDS)], signal)
      return found.filter((port) => isIn(place, port, client)).map(portOf)
    },

    // Neutron has no filter for pairs (400), so the networks' ports are gone through.
    findByAddressPair: async (within, address) => {
      const key = JSON.stringify(within)
      const read = reading.get(key) ?? everyPort(within).finally(() => reading.delete(key))
      reading.set(key, read)
      return (await read).filter((port) => hasPair(port, address)).map(portOf)
    },

    close: () => session.close(),
  }
}

function interfacesOf(router: RouterId): Query {
  const owners = [...ROUTER_INTERFACE_OWNERS].map((owner) => ['device_owner', owner] as const)
  return [['device_id', router], ...owners, ...fields(['id', 'network_id', 'fixed_ips'])]
}

function filterOf(client: Client): Query[number] {
  return 'mac' in client ? ['mac_address', client.mac] : ['fixed_ips', `ip_address=${client.fixedIp}`]
}

function fields(names: readonly string[]): Query {
  return names.map((name) => ['fields', name] as const)
}

function isIn({ subnets }: Place, port: WirePort, client: Client): boolean {
  if (subnets === undefined || 'mac' in client) return true
  return port.fixed_ips.some(
    ({ ip_address, subnet_id }) => parseIpAddress(ip_address) === client.fixedIp && subnets.has(subnet_id),
  )
}

/** A pair may be a range. That one claims an address does not make it the one who uses it, so only a single one counts. */
function hasPair({ allowed_address_pairs = [] }: WirePort, address: IpAddress): boolean {
  const whole = address.includes(':') ? '/128' : '/32'
  return allowed_address_pairs.some(({ ip_address }) => {
    const bare = ip_address.endsWith(whole) ? ip_address.slice(0, -whole.length) : ip_address
    return parseIpAddress(bare) === address
  })
}

function portOf(port: WirePort): FoundPort {
  return {
    id: port.id as PortId,
    networkId: port.network_id as NetworkId,
    projectId: (port.project_id ?? port.tenant_id ?? '') as ProjectId,
    deviceId: port.device_id,
    deviceOwner: port.device_owner,
  }
}
