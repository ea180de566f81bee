import type { Facts } from '../facts.ts'
import { type Fault, knownOf, type Spot } from '../fault.ts'
import { mainFamily } from '../ipv6.ts'

const METADATA_ROUTE = '169.254.169.254/32'

/** DHCP, and what the guest made of it. */
export const guestFaults: readonly Fault[] = [
  {
    id: 'dnsmasq-dead',
    step: 'dhcp',
    severity: 'broken',
    symptom: 'no lease, for every guest of the network',
    cause: 'the dnsmasq of the network has ended, and cannot be started',
    recognised: 'it does not run in the namespace of the network',
    expected: 'dnsmasq runs in the namespace of the network',
    mend: 'firstboot datapath status says why it cannot be started: a program that has UDP port 67, a full disk',
    judge: (facts) => {
      const { steps, path } = facts
      const { troubles } = facts.host
      if (!path.isDhcpServed) return undefined
      // Without a lease there is no route to 169.254.169.254; fe80::a9fe:a9fe needs neither.
      const severity = mainFamily(facts) === 6 ? 'risk' : 'broken'
      return (knownOf(steps) ?? [])
        .filter(({ command }) => command.kind === 'program-start' && command.program.kind === 'dnsmasq')
        .filter(({ where }) => !isMissing(knownOf(steps) ?? [], where))
        .map(({ where, why }): Spot => {
          const trouble = troubles.find((each) => each.where === where)
          const more = trouble === undefined ? '' : `; ${trouble.what} fails: ${trouble.message}`
          return { observed: `${where}: ${why}${more}`, severity }
        })
    },
  },
  {
    id: 'dnsmasq-silent',
    step: 'dhcp',
    severity: 'broken',
    isSymptom: true,
    symptom: 'no lease',
    cause: 'dnsmasq runs and offers this guest nothing: it hangs, its port is closed, or it does not know the port yet',
    recognised: 'a DHCPDISCOVER in the guest’s name is not answered',
    expected: 'dnsmasq offers the guest its address',
    mend: 'look whether UDP port 67 is open in the namespace, and whether the host file has the MAC address',
    judge: ({ offers, path }) =>
      path.isDhcpServed && knownOf(offers)?.length === 0
        ? 'a DHCPDISCOVER in the guest’s name is not answered'
        : undefined,
  },
  {
    id: 'dhcp-stranger',
    step: 'dhcp',
    severity: 'broken',
    symptom: 'some boots get a lease of a foreign range, with a wrong gateway',
    cause: 'somebody else on the network answers DHCP',
    recognised:
      'a DHCPDISCOVER in the guest’s name is answered, within a quarter of a second, by a server that is not the DHCP port',
    expected: 'nobody but the DHCP port answers',
    mend: 'find the guest with that address (firstboot explain ADDRESS) and stop its DHCP server',
    judge: ({ offers, records: { dhcpPort, routers } }) => {
      const own = new Set(
        [dhcpPort, ...routers.map(({ port }) => port)].flatMap(
          (port) => port?.fixedIps.map(({ ipAddress }) => ipAddress) ?? [],
        ),
      )
      return (knownOf(offers) ?? [])
        .filter(({ server }) => !own.has(server))
        .map(({ server, address, router }) => `${server} offers ${address}, gateway ${router ?? 'none'}`)
    },
  },
  {
    id: 'dhcp-wrong-address',
    step: 'dhcp',
    severity: 'broken',
    symptom: 'the guest has an address that nobody knows: every path is 404',
    cause: 'dnsmasq goes by an earlier state of its files or leases',
    recognised: 'it offers another address than the port’s',
    expected: 'dnsmasq offers the fixed IP',
    mend: 'kill -HUP the dnsmasq of the network; when that does not help, end it: it is started again',
    judge: ({ offers, records: { fixedIp, dhcpPort } }) =>
      ownOffers(offers, dhcpPort)
        .filter(({ address }) => address !== fixedIp?.ipAddress)
        .map(({ address }) => `${address} is offered, not ${fixedIp?.ipAddress}`),
  },
  {
    id: 'option-121-missing',
    step: 'dhcp',
    severity: 'broken',
    symptom: 'the guest has a lease and no route to 169.254.169.254, or a wrong one',
    cause: 'dnsmasq offers another way to the metadata address than the plan',
    recognised: 'option 121 of its offer lacks the route, or has another gateway',
    expected: 'option 121 has the route to the metadata address',
    mend: 'look at the file opts in the state directory; kill -HUP the dnsmasq of the network',
    judge: ({ offers, path: { nextHop, kind }, records: { dhcpPort } }) =>
      kind === 'none' || nextHop === undefined
        ? undefined
        : ownOffers(offers, dhcpPort)
            .filter(({ routes }) => routes.get(METADATA_ROUTE) !== nextHop)
            .map(({ routes }) => `169.254.169.254 by ${routes.get(METADATA_ROUTE) ?? 'nobody'}, not ${nextHop}`),
  },
  {
    id: 'address-taken',
    step: 'guest',
    severity: 'broken',
    symptom: 'answers go to somebody else, now and then',
    cause: 'another device on the network has taken the guest’s address',
    recognised: 'another MAC address answers for the fixed IP',
    expected: 'nobody but the guest has its address',
    mend: 'find the device by its MAC address (bridge fdb show, firstboot list ports) and take the address away there',
    judge: ({ claims, records: { fixedIp, port } }) =>
      [...(fixedIp === undefined ? [] : (knownOf(claims)?.get(fixedIp.ipAddress) ?? []))]
        .filter((mac) => mac !== port?.macAddress)
        .map((mac) => `${mac} answers for ${fixedIp?.ipAddress}`),
  },
  {
    id: 'gateway-duplicate',
    step: 'guest',
    severity: 'broken',
    symptom: 'some guests reach metadata, some do not, and it changes',
    cause:
      'a device that is not ours has the address that guests send to: a second router, a guest with the gateway’s address',
    recognised: 'another MAC address answers for the next hop',
    expected: 'nobody but us has the address that guests send to',
    mend: 'find the device by its MAC address (bridge fdb show) and take the address away there',
    judge: ({ claims, path: { nextHop }, records: { dhcpPort, gatewayHolder } }) => {
      const own = [dhcpPort, gatewayHolder].map((port) => port?.macAddress)
      return [...(nextHop === undefined ? [] : (knownOf(claims)?.get(nextHop) ?? []))]
        .filter((mac) => !own.includes(mac))
        .map((mac) => `${mac} answers for ${nextHop}`)
    },
  },
  {
    id: 'guest-static-address',
    step: 'guest',
    severity: 'broken',
    symptom: 'every path is 404',
    cause: 'the guest gave itself an address: an image with a static configuration, or one of another port',
    recognised: 'its MAC address is seen with another address than the port’s',
    expected: 'the guest uses the fixed IP of its port',
    mend: 'let the guest ask DHCP, or give the port the address the guest uses',
    judge: ({ inside, way, claims, records: { port, fixedIp, subnet }, requests }) => {
      const answering = fixedIp && knownOf(claims)?.get(fixedIp.ipAddress)
      if (port === undefined || subnet === undefined || answering === undefined || answering.has(port.macAddress))
        return undefined
      // What was heard some time ago counts only if it still answers for it.
      const heard = (knownOf(inside)?.neighbours ?? []).filter(
        ({ mac, address }) => mac === port.macAddress && knownOf(claims)?.get(address)?.has(mac),
      )
      const used = [...heard.map(({ address }) => address), ...(knownOf(way)?.sources ?? [])]
      const others = [...new Set(used)].filter(
        (address) =>
          address !== '0.0.0.0' &&
          !address.includes(':') &&
          !port.fixedIps.some(({ ipAddress }) => ipAddress === address),
      )
      const known = knownOf(requests)?.strangers ?? []
      return others.map(
        (address) =>
          `the guest uses ${address}, its port has ${fixedIp?.ipAddress}${known.includes(address) ? '; it was answered 404' : ''}`,
      )
    },
  },
  {
    id: 'guest-no-lease',
    step: 'guest',
    severity: 'broken',
    isSymptom: true,
    symptom: 'the guest is on the network and does not answer',
    cause:
      'the guest has not configured its address: it is still booting, has no DHCP client, or its lease was refused',
    recognised: 'its device is plugged in, and nobody answers for the fixed IP',
    expected: 'the guest has its address',
    mend: 'look at the console of the guest (firstboot console SERVER) for its DHCP client',
    judge: ({ claims, plug, records: { fixedIp, port } }) => {
      const { tap, heardOn } = knownOf(plug) ?? {}
      const answering = fixedIp && knownOf(claims)?.get(fixedIp.ipAddress)
      if (answering === undefined || port === undefined || (tap === undefined && heardOn === undefined))
        return undefined
      return answering.size === 0 ? `nobody answers for ${fixedIp?.ipAddress}` : undefined
    },
  },
  {
    id: 'guest-route-missing',
    step: 'guest',
    severity: 'broken',
    symptom: 'the guest has a lease, and asks nobody, or the wrong one',
    cause: 'the guest has no route to 169.254.169.254: its DHCP client did not request option 121 (or ignores it)',
    recognised:
      'pinged from the metadata address it answers to nobody, or looks for the metadata address or a gateway on its link',
    expected: 'the guest sends what is for 169.254.169.254 to the next hop of its lease',
    mend: 'let its DHCP client request classless-static-routes (dhclient: request rfc3442-classless-static-routes; udhcpc: -O staticroutes)',
    judge: ({ way, path: { nextHop, kind }, records: { subnet } }) => {
      const found = knownOf(way)
      if (!['dhcp', 'ovn'].includes(kind) || found === undefined || !found.answers || found.sendsTo !== undefined)
        return undefined
      // Another gateway than the subnet's is a fault of its own.
      if (found.looksFor !== undefined && ![subnet?.gatewayIp, '169.254.169.254'].includes(found.looksFor))
        return undefined
      return found.looksFor === undefined
        ? `it answers its neighbours, and nothing from 169.254.169.254: it has no route there (by ${nextHop})`
        : `it looks for ${found.looksFor}, where it should send to ${nextHop}`
    },
  },
  {
    id: 'guest-wrong-gateway',
    step: 'guest',
    severity: 'broken',
    symptom: 'the guest has an address, and 169.254.169.254 times out',
    cause: 'the guest sends by a wrong gateway: configured by hand, or by a foreign DHCP server',
    recognised:
      'pinged from the metadata address it answers to another MAC address than ours, or looks for another gateway',
    expected: 'the guest sends what is for 169.254.169.254 to the next hop of its lease',
    mend: 'let the guest renew its lease, and take the static route away',
    judge: (facts) => wrongGateway(facts),
  },
]

function wrongGateway({ way, path: { nextHop, kind }, records }: Facts): Spot | undefined {
  const { subnet, dhcpPort, gatewayHolder } = records
  const found = knownOf(way)
  if (kind === 'none' || found === undefined || !found.answers) return undefined
  const own = [dhcpPort, gatewayHolder].map((port) => port?.macAddress)
  if (found.sendsTo !== undefined)
    return own.includes(found.sendsTo) ? undefined : `it sends to ${found.sendsTo}, which is not ${nextHop}`
  const usual = kind !== 'router' ? [subnet?.gatewayIp, '169.254.169.254'] : []
  if (found.looksFor !== undefined && !usual.includes(found.looksFor))
    return `it looks for ${found.looksFor}, where it should send to ${nextHop}`
  // Behind a router every way leads to the gateway.
  return kind === 'router' && found.looksFor === undefined
    ? `it has no route to 169.254.169.254 (by ${nextHop})`
    : undefined
}

function ownOffers(offers: Facts['offers'], dhcpPort: Facts['records']['dhcpPort']) {
  const own = new Set(dhcpPort?.fixedIps.map(({ ipAddress }) => ipAddress))
  return (knownOf(offers) ?? []).filter(({ server }) => own.has(server))
}

/** The namespace itself is not there: then everything in it is missing. */
function isMissing(
  steps: readonly { readonly where: string; readonly command: { readonly kind: string } }[],
  netns: string,
): boolean {
  return steps.some(({ where, command }) => where === netns && command.kind === 'netns-add')
}
