import type { DesiredAt } from '../../../datapath/desired.ts'
import { METADATA_IPV4, METADATA_IPV6, METADATA_PORT } from '../../../datapath/metadata-address.ts'
import { type Facts, isOurs, type PathFacts, type RecordFacts } from '../../../explain/facts.ts'
import type { VethFacts } from '../../../explain/ovn/facts.ts'
import { type Known, known } from '../../../host/examine/known.ts'
import { examineNamespace, type NamespaceFacts } from '../../../host/examine/namespace.ts'
import { examineVethEnd } from '../../../host/examine/veth-end.ts'
import { netnsInode, netnsPath } from '../../../host/netns.ts'
import type { PortSwitch } from '../../../host/port-switch.ts'
import { wayOf } from '../../../host/probe/link-questions.ts'
import { type Answered, askFrom } from '../../../host/probe/visitor.ts'
import { patience } from '../../../host/slowdown.ts'
import { type IpAddress, ipVersion } from '../../../inventory/records/address.ts'
import type { FixedIp } from '../../../inventory/records/port.ts'
import { attempted } from '../attempted.ts'
import { stepsOf } from '../network.ts'

export interface OvnWayQuestion {
  readonly records: Omit<RecordFacts, 'found'>
  readonly path: PathFacts
  readonly desired: DesiredAt
  /** Absolute, without links. */
  readonly statePath: string
  readonly switchPorts: Pick<PortSwitch, 'port'>
  /** The guest's interface on this host. */
  readonly tap: string | undefined
}

type OvnWay = Pick<Facts, 'steps' | 'inside' | 'visit' | 'way'> & { readonly veth: Known<VethFacts | undefined> }

export function unseen(why: string): OvnWay {
  const unknown = { unknown: why }
  return { steps: unknown, inside: unknown, visit: unknown, way: unknown, veth: unknown }
}

/** The agent waits a second for news of an address that it does not know, such as ours. */
const VISIT_MILLISECONDS = 1_900
const WAY_MILLISECONDS = 600

/** Looks at the namespace of the guest's network, asks from within it, and finds out by which way the guest sends. */
export async function ovnWay(question: OvnWayQuestion): Promise<OvnWay> {
  const { path, desired, statePath, switchPorts } = question
  const { netns } = path
  if (netns === undefined) return unseen('it is not known which network it is')
  const wanted = desired.namespaces.get(netns)
  const veth = known(`the devices of ${netns}`, () => vethOf(question, netns))
  const inside = await attempted(netns, () =>
    examineNamespace({
      name: netns,
      statePath,
      sysctls: [],
      hasFirewall: false,
      ports: [METADATA_PORT],
      listeners: wanted?.listeners ?? [],
      isOurs,
      switchPorts,
    }),
  )
  const steps = stepsOf(desired, [[netns, inside]])
  const isThere = 'value' in inside && inside.value !== undefined
  const [visit, way] = await Promise.all([
    isThere ? attempted(netns, () => visited(question, netns)) : { unknown: 'there is no namespace to ask from' },
    wayOfGuest(question, netns, inside),
  ])
  return { steps, inside, veth, visit, way }
}

/** Where a guest asks: by IPv4, if it has that. */
export function metadataAddressOf(fixedIp: FixedIp | undefined): IpAddress {
  return fixedIp !== undefined && ipVersion(fixedIp.ipAddress) === 6 ? METADATA_IPV6 : METADATA_IPV4
}

/** Asks where the guest asks. */
function visited({ records, desired }: OvnWayQuestion, netns: string): Promise<Answered> {
  const [address, milliseconds] = [metadataAddressOf(records.fixedIp), patience(VISIT_MILLISECONDS)]
  const [device] = desired.namespaces.get(netns)?.devices ?? []
  return askFrom(netnsPath(netns), address, METADATA_PORT, '/openstack', milliseconds, milliseconds, device?.name)
}

function vethOf({ desired }: OvnWayQuestion, netns: string): VethFacts | undefined {
  const [device] = desired.namespaces.get(netns)?.devices ?? []
  if (device === undefined) return undefined
  const { name: inner, peer: outer, ifaceId = '', mtu } = device
  const path = netnsPath(netns)
  const ends = [netnsInode(path) === undefined ? undefined : examineVethEnd(inner, path), examineVethEnd(outer)]
  return { inner, outer, ifaceId, mtu, ends: ends.filter((end) => end !== undefined) }
}

async function wayOfGuest(
  { records, path, desired, tap }: OvnWayQuestion,
  netns: string,
  inside: Known<NamespaceFacts | undefined>,
): Promise<Facts['way']> {
  const { port, fixedIp, subnet } = records
  const [device] = desired.namespaces.get(netns)?.devices ?? []
  if (tap === undefined) return { unknown: 'no interface of the guest is on this host' }
  const isThere = 'value' in inside && inside.value?.observed.devices.some(({ name }) => name === device?.name)
  if (!isThere || device === undefined) return { unknown: 'there is no namespace to ask from' }
  if (port === undefined || fixedIp === undefined || path.nextHop === undefined || subnet?.ipVersion !== 4)
    return { unknown: 'only IPv4 is tried out' }
  const near = path.nextHop
  return attempted('the guest', () =>
    wayOf(
      {
        tap,
        netnsPath: netnsPath(netns),
        device: device.name,
        guest: { mac: port.macAddress, address: fixedIp.ipAddress },
        near,
        metadata: METADATA_IPV4,
      },
      patience(WAY_MILLISECONDS),
    ),
  )
}
