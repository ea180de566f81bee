import { NOUNS, type Noun, type Records } from '../records/records.ts'

/** How a property is kept: as itself, as 0 or 1, as JSON text, or as rows of a table of its own (`rows.ts`). */
export type Storage = 'value' | 'flag' | 'json' | 'own table'

/** A row as a database driver gives and takes it. */
export type Row = Record<string, string | number | null>
/** Tables by name. They are reached through the rows below, so their columns need no types of their own. */
export type Tables = Record<string, Row>

/** Where each property of each noun is kept. The column's name is the property's in snake_case. Columns are made by the
 *  migrations; a test holds the two against each other. */
export const storage: { readonly [N in Noun]: { readonly [P in keyof Required<Records[N]>]: Storage } } = {
  project: { id: 'value', name: 'value', metadataTokens: 'value' },
  keypair: { id: 'value', projectId: 'value', name: 'value', type: 'value', publicKey: 'value' },
  flavor: {
    id: 'value',
    name: 'value',
    vcpus: 'value',
    ramMib: 'value',
    diskGib: 'value',
    ephemeralGib: 'value',
    swapMib: 'value',
  },
  image: { id: 'value', name: 'value', ec2Number: 'value', kernelId: 'value', ramdiskId: 'value', properties: 'json' },
  security_group: { id: 'value', projectId: 'value', name: 'value', description: 'value' },
  network: {
    id: 'value',
    projectId: 'value',
    name: 'value',
    adminStateUp: 'flag',
    mtu: 'value',
    shared: 'flag',
    external: 'flag',
  },
  subnet: {
    id: 'value',
    networkId: 'value',
    projectId: 'value',
    name: 'value',
    ipVersion: 'value',
    cidr: 'value',
    gatewayIp: 'value',
    allocationPools: 'json',
    enableDhcp: 'flag',
    dnsNameservers: 'json',
    hostRoutes: 'json',
    ipv6AddressMode: 'value',
    ipv6RaMode: 'value',
    advancedServiceProviders: 'json',
  },
  router: {
    id: 'value',
    projectId: 'value',
    name: 'value',
    adminStateUp: 'flag',
    externalGateway: 'json',
    routes: 'json',
  },
  port: {
    id: 'value',
    networkId: 'value',
    projectId: 'value',
    name: 'value',
    macAddress: 'value',
    adminStateUp: 'flag',
    fixedIps: 'own table',
    securityGroupIds: 'json',
    deviceId: 'value',
    deviceOwner: 'value',
    vnicType: 'value',
    vifType: 'value',
    portSecurityEnabled: 'flag',
    allowedAddressPairs: 'json',
  },
  floating_ip: {
    id: 'value',
    projectId: 'value',
    networkId: 'value',
    address: 'value',
    portId: 'value',
    fixedIpAddress: 'value',
  },
  server: {
    id: 'value',
    projectId: 'value',
    userId: 'value',
    name: 'value',
    hostname: 'value',
    flavorId: 'value',
    imageId: 'value',
    keyName: 'value',
    keyData: 'value',
    keypair: 'json',
    userData: 'value',
    properties: 'json',
    availabilityZone: 'value',
    launchIndex: 'value',
    reservationId: 'value',
    ec2Number: 'value',
    portIds: 'json',
    rootDeviceName: 'value',
    defaultEphemeralDevice: 'value',
    defaultSwapDevice: 'value',
    blockDevices: 'json',
    devices: 'json',
    pinnedCpus: 'json',
    configDrive: 'flag',
    adminPassword: 'value',
    files: 'json',
    bootRoles: 'json',
    password: 'value',
    hypervisor: 'value',
  },
  former_interface: {
    id: 'value',
    routerId: 'value',
    networkId: 'value',
    macAddress: 'value',
    fixedIps: 'json',
    detachedAt: 'value',
  },
}

/** `security_group` -> `security_groups`. */
export function tableOf(noun: Noun): string {
  return `${noun}s`
}

/** `ramMib` -> `ram_mib`, `ec2Number` -> `ec2_number`. */
export function columnOf(property: string): string {
  return property.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

/** The columns of a noun's table, in the order of its properties. */
export function columnsOf(
  noun: Noun,
): readonly { readonly property: string; readonly column: string; readonly storage: Storage }[] {
  return columns[noun]
}

const columns = Object.fromEntries(
  NOUNS.map((noun) => [
    noun,
    Object.entries<Storage>(storage[noun])
      .filter(([, kind]) => kind !== 'own table')
      .map(([property, kind]) => ({ property, column: columnOf(property), storage: kind })),
  ]),
) as Record<Noun, { property: string; column: string; storage: Storage }[]>
