import type { Instance, InterfaceAddress } from '../../inventory/records/instance.ts'
import type { Context } from '../context.ts'
import { Directory, type Entry } from '../directory.ts'
import { qualifiedHostname } from '../host-name.ts'
import { userData } from '../user-data.ts'
import { blockDeviceMapping } from './block-device-mapping.ts'
import type { Ec2Version } from './versions.ts'

/** One entry of `meta-data`. `draw` gives undefined when this instance has no such entry. */
interface Row {
  readonly name: string
  readonly since: Ec2Version
  readonly draw: (instance: Instance, context: Context) => Entry | undefined
}

/** In the order in which a config drive writes them. */
const ROWS: readonly Row[] = [
  { name: 'ami-id', since: '1.0', draw: ({ ec2 }) => ec2.imageId },
  { name: 'ami-launch-index', since: '1.0', draw: ({ launchIndex }) => launchIndex },
  // What Nova has always answered, word for word.
  { name: 'ami-manifest-path', since: '1.0', draw: () => 'FIXME' },
  { name: 'instance-id', since: '1.0', draw: ({ ec2 }) => ec2.instanceId },
  { name: 'hostname', since: '1.0', draw: hostname },
  { name: 'local-ipv4', since: '1.0', draw: localIpv4 },
  { name: 'reservation-id', since: '1.0', draw: ({ reservationId }) => reservationId },
  { name: 'security-groups', since: '1.0', draw: ({ securityGroups }) => securityGroups },
  { name: 'public-keys', since: '1.0', draw: publicKeys },
  { name: 'local-hostname', since: '2007-01-19', draw: hostname },
  { name: 'public-hostname', since: '2007-01-19', draw: hostname },
  { name: 'public-ipv4', since: '2007-01-19', draw: publicIpv4 },
  { name: 'instance-type', since: '2007-08-29', draw: ({ flavorName }) => flavorName },
  { name: 'block-device-mapping', since: '2007-12-15', draw: blockDeviceMapping },
  { name: 'kernel-id', since: '2007-12-15', draw: ({ ec2 }) => ec2.kernelId ?? undefined },
  { name: 'ramdisk-id', since: '2007-12-15', draw: ({ ec2 }) => ec2.ramdiskId ?? undefined },
  { name: 'placement', since: '2008-02-01', draw: placement },
  { name: 'instance-action', since: '2008-09-01', draw: () => 'none' },
]

const BY_NAME: ReadonlyMap<string, Row> = new Map(ROWS.map((row) => [row.name, row]))

/** What lies below one version: `meta-data` and, when there is any, `user-data`. */
export function ec2Tree(version: Ec2Version, instance: Instance, context: Context): Directory {
  const draw = (name: string) => {
    if (name === 'meta-data') return ec2MetaData(version, instance, context)
    return name === 'user-data' ? userData(instance) : undefined
  }
  return new Directory(() => ['meta-data', 'user-data'], draw)
}

export function ec2MetaData(version: Ec2Version, instance: Instance, context: Context): Directory {
  const names = () => ROWS.filter(({ since }) => since <= version).map(({ name }) => name)
  return new Directory(names, (name) => {
    const row = BY_NAME.get(name)
    return row !== undefined && row.since <= version ? row.draw(instance, context) : undefined
  })
}

function hostname(instance: Instance, context: Context): string {
  return qualifiedHostname(instance, context.dhcpDomain)
}

/** The first fixed IPv4, by interface, subnet and address; an instance without one is told who it asked as. */
function localIpv4(instance: Instance, context: Context): string | null {
  const isIpv4 = ({ address }: InterfaceAddress) => !address.includes(':')
  return addresses(instance).find(isIpv4)?.address ?? context.requesterAddress
}

/** Empty text, not an absent entry, without a floating IP. */
function publicIpv4(instance: Instance): string {
  return addresses(instance).flatMap(({ floatingIps }) => floatingIps)[0] ?? ''
}

function addresses(instance: Instance): readonly InterfaceAddress[] {
  return instance.interfaces.flatMap(({ subnets }) => subnets.flatMap((subnet) => subnet.addresses))
}

/** Follows the name and text copied at creation, whether or not the key pair survives. */
function publicKeys({ keyName, keyData }: Instance): Directory | undefined {
  if (keyName === null) return undefined
  const slot = Directory.of(new Map([['openssh-key', keyData]]), `0=${keyName}`)
  return Directory.of(new Map([['0', slot]]))
}

function placement({ availabilityZone }: Instance): Directory {
  return Directory.of(new Map([['availability-zone', availabilityZone]]))
}
