import type { Cidr, IpAddress } from '../inventory/records/address.ts'

/** Where guests ask. The link-local form is on each link, so it needs no route. */
export const METADATA_IPV4 = '169.254.169.254' as IpAddress
export const METADATA_IPV6 = 'fe80::a9fe:a9fe' as IpAddress
/** The port guests know. */
export const METADATA_PORT = 80

/** Where a default route leads, by address family. */
export const EVERYWHERE = { 4: '0.0.0.0/0' as Cidr, 6: '::/0' as Cidr } as const
