import type {
  FlavorItem,
  FloatingIpItem,
  ImageItem,
  InventoryDocument,
  KeypairItem,
  NestedSubnetItem,
  NetworkItem,
  PortItem,
  ProjectItem,
  RouterItem,
  SecurityGroupItem,
  ServerItem,
  SubnetItem,
} from '../schema.ts'

/** A subnet with its network: the item it is written in, or a reference. */
export type PlacedSubnet = (NestedSubnetItem & { readonly network: NetworkItem }) | SubnetItem

/** What the file says, one list for each noun, with what it leaves to be made by default. */
export interface Contents {
  readonly project: readonly ProjectItem[]
  readonly keypair: readonly KeypairItem[]
  readonly flavor: readonly FlavorItem[]
  readonly image: readonly ImageItem[]
  readonly security_group: readonly SecurityGroupItem[]
  readonly network: readonly NetworkItem[]
  readonly subnet: readonly PlacedSubnet[]
  readonly router: readonly RouterItem[]
  readonly port: readonly PortItem[]
  readonly floating_ip: readonly FloatingIpItem[]
  readonly server: readonly ServerItem[]
}

/** Made when the file names none. A record of that name that exists already is taken as it is. */
const standIns = {
  project: { name: 'default', at: [], broken: false },
  flavor: { name: 'm1.small', at: [], broken: false },
  image: { name: 'default', at: [], broken: false },
} as const

export function isStandIn(item: { readonly at: readonly unknown[] }): boolean {
  return item.at.length === 0
}

export function contentsOf(document: InventoryDocument): Contents {
  const servers = document.servers ?? []
  const nested = (document.networks ?? []).flatMap((network) =>
    (network.subnets ?? []).map((subnet) => ({ ...subnet, network })),
  )
  return {
    project: orStandIn(document.projects, standIns.project, hasOwnerless(document)),
    keypair: document.keypairs ?? [],
    flavor: orStandIn(
      document.flavors,
      standIns.flavor,
      servers.some(({ flavor }) => flavor === undefined),
    ),
    image: orStandIn(
      document.images,
      standIns.image,
      servers.some(({ image }) => image === undefined),
    ),
    security_group: document.security_groups ?? [],
    network: document.networks ?? [],
    subnet: [...nested, ...(document.subnets ?? [])],
    router: document.routers ?? [],
    port: document.ports ?? [],
    floating_ip: document.floating_ips ?? [],
    server: servers,
  }
}

function orStandIn<T>(items: readonly T[] | undefined, standIn: T, isNeeded: boolean): readonly T[] {
  return items !== undefined && items.length > 0 ? items : isNeeded ? [standIn] : []
}

function hasOwnerless(document: InventoryDocument): boolean {
  const owned = [document.keypairs, document.security_groups, document.networks, document.routers, document.servers]
  return owned.some((items) => items?.some(({ project }) => project === undefined))
}
