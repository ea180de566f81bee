import { type Fault, knownOf } from '../fault.ts'
import { placesOf } from '../ipv6.ts'
import { REPAIRED } from './step-fault.ts'

/** How the guest is plugged in on this host. */
export const plugFaults: readonly Fault[] = [
  {
    id: 'guest-not-plugged',
    step: 'plug',
    severity: 'broken',
    isSymptom: true,
    symptom: 'the guest hears nothing of the network',
    cause: 'no device of the guest is on the bridge: it does not run here, or was plugged in otherwise',
    recognised: 'its tap is not there, and the bridge has never heard its MAC address',
    expected: 'a device of the guest is on the bridge of its network',
    mend: 'start the guest; its device belongs on the bridge, with the MAC address of the port',
    judge: ({ plug, records: { port }, path }) => {
      const found = knownOf(plug)
      if (found === undefined || path.kind === 'none' || found.tap !== undefined || found.heardOn !== undefined)
        return undefined
      return `nothing on ${found.bridge?.name ?? 'the bridge'} is ${port?.macAddress}`
    },
  },
  {
    id: 'port-on-wrong-bridge',
    step: 'plug',
    severity: 'broken',
    symptom: 'no lease, or one of another network',
    cause: 'the device of the guest is on no bridge, or on that of another network',
    recognised: 'its tap is there, and has another master than the bridge of the port’s network',
    expected: 'the tap of the port is on the bridge of its network',
    mend: 'ip link set TAP master BRIDGE, and find out who moved it',
    judge: ({ plug }) => {
      const { tap, bridge } = knownOf(plug) ?? {}
      if (tap === undefined || bridge === undefined || tap.bridge === bridge.name) return undefined
      const wanted = {
        expected: `${tap.name} is on ${bridge.name}`,
        mend: `ip link set ${tap.name} master ${bridge.name}`,
      }
      return { observed: `${tap.name} is on ${tap.bridge ?? 'no bridge'}`, ...wanted }
    },
  },
  {
    id: 'tap-down',
    step: 'plug',
    severity: 'broken',
    symptom: 'the guest hears nothing of the network',
    cause: 'the host’s end of the guest’s device is down',
    recognised: 'the tap is there and not up',
    expected: 'the tap of the port is up',
    mend: 'ip link set TAP up',
    judge: ({ plug }) => {
      const tap = knownOf(plug)?.tap
      return tap?.isUp === false ? { observed: `${tap.name} is down`, mend: `ip link set ${tap.name} up` } : undefined
    },
  },
  {
    id: 'mtu-hole',
    step: 'plug',
    severity: 'broken',
    symptom: 'small answers come, large ones never end',
    cause: 'a device on the way takes smaller packets than the network promises the guest',
    recognised: 'the MTU of tap, bridge or a device in the namespace is below that of the network',
    expected: 'every device on the way takes packets of the network’s MTU',
    mend: 'ip link set DEVICE mtu MTU, or lower the MTU of the network',
    judge: (facts) => {
      const { plug } = facts
      const { network, dhcpPort, routers } = facts.records
      const { tap, bridge } = knownOf(plug) ?? {}
      const ids = [dhcpPort, ...routers.map(({ port }) => port)].map((port) => port?.id.slice(0, 11))
      const devices = placesOf(facts)
        .flatMap(({ inside }) => knownOf(inside)?.observed.devices ?? [])
        .filter(({ name }) => ids.some((id) => id && name.endsWith(id)))
      const on = [tap, bridge, ...devices].filter((each) => each !== undefined)
      return on
        .filter(({ mtu }) => mtu < (network?.mtu ?? 0))
        .map(({ name, mtu }) => ({
          observed: `${name} has MTU ${mtu}, the network ${network?.mtu}`,
          mend: `ip link set ${name} mtu ${network?.mtu}`,
        }))
    },
  },
  {
    id: 'bridge-missing',
    step: 'plug',
    severity: 'broken',
    symptom: 'no lease, for every guest of the network',
    cause: 'the bridge of the network is gone or down',
    recognised: 'no device of its name is there, or it is not up',
    expected: 'the bridge of the network is there and up',
    mend: REPAIRED,
    judge: ({ plug, path, records: { network } }) => {
      const found = knownOf(plug)
      if (found === undefined || path.netns === undefined || found.bridge?.isUp === true) return undefined
      return found.bridge === undefined
        ? `network ${network?.name ?? ''} has no bridge here`
        : `${found.bridge.name} is down`
    },
  },
]
