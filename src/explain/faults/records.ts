import { contains, isLinkLocal } from '../../inventory/records/address.ts'
import type { Fault } from '../fault.ts'
import { mainFamily } from '../ipv6.ts'

/** What the inventory itself says against it. */
export const recordFaults: readonly Fault[] = [
  {
    id: 'port-missing',
    step: 'record',
    severity: 'broken',
    symptom: 'the instance boots without any network',
    cause: 'the server has no port',
    recognised: 'no port of the inventory has the server as its device',
    expected: 'the server has a port',
    mend: 'give the server a network in the inventory file (networks: [...]) and apply it',
    judge: ({ records: { server, port } }) =>
      server !== undefined && port === undefined ? `${server.name} has no port` : undefined,
  },
  {
    id: 'port-without-server',
    step: 'record',
    severity: 'broken',
    symptom: 'every path is 404',
    cause: 'the port belongs to no instance: its device is missing or no server',
    recognised: 'no server of the inventory is the device of the port',
    expected: 'the port belongs to a server',
    mend: 'give the port to the server whose guest uses it',
    judge: ({ records: { server, port } }) =>
      port !== undefined && server === undefined
        ? `port ${port.id} belongs to ${port.deviceId || 'nobody'} (${port.deviceOwner || 'no owner'})`
        : undefined,
  },
  {
    id: 'port-unbound',
    step: 'record',
    severity: 'broken',
    symptom: 'the device of the guest is never plugged in',
    cause: 'the port is not bound to this host, or could not be',
    recognised: 'its vif type is `unbound` or `binding_failed`',
    expected: 'the port is bound',
    mend: 'give the port a vif_type that this host can plug (bridge, tap), or bind it again',
    judge: ({ records: { port } }) =>
      port !== undefined && ['unbound', 'binding_failed'].includes(port.vifType)
        ? `port ${port.id} has the vif type ${port.vifType}`
        : undefined,
  },
  {
    id: 'no-fixed-ip',
    step: 'record',
    severity: 'broken',
    symptom: 'DHCP offers nothing',
    cause: 'the port has no fixed IP',
    recognised: 'the list of its fixed IPs is empty',
    expected: 'the port has a fixed IP',
    mend: 'give the port a fixed_ip, or the network a subnet, and apply the file again',
    judge: ({ records: { port, fixedIp } }) =>
      port !== undefined && fixedIp === undefined ? `port ${port.id} has no fixed IP` : undefined,
  },
  {
    id: 'network-down',
    step: 'record',
    severity: 'broken',
    symptom: 'no lease, no metadata, for every guest of the network',
    cause: 'the admin state of the network is down: it has no DHCP namespace',
    recognised: 'admin_state_up of the network is false',
    expected: 'the network is up',
    mend: 'set admin_state_up: true on the network and apply the file',
    judge: ({ records: { network } }) =>
      network?.adminStateUp === false ? `network ${network.name || network.id} is down` : undefined,
  },
  {
    id: 'port-down',
    step: 'record',
    severity: 'broken',
    symptom: 'the guest is to be cut off',
    cause: 'the admin state of the port is down',
    recognised: 'admin_state_up of the port is false',
    expected: 'the port is up',
    mend: 'set admin_state_up: true on the port and apply the file',
    judge: ({ records: { port } }) => (port?.adminStateUp === false ? `port ${port.id} is down` : undefined),
  },
  {
    id: 'router-down',
    step: 'record',
    severity: 'broken',
    symptom: 'the guest has a lease, and 169.254.169.254 does not answer',
    cause: 'the router whose address is the gateway of the subnet is down',
    recognised: 'admin_state_up is false on the router that has the gateway address, or on its port',
    expected: 'the router is up',
    mend: 'set admin_state_up: true on the router and apply the file',
    judge: ({ records: { routers, gatewayHolder } }) =>
      routers
        .filter(({ port }) => port.id === gatewayHolder?.id)
        .flatMap(({ router, port }) => [
          ...(router.adminStateUp ? [] : [`router ${router.name || router.id} is down`]),
          ...(port.adminStateUp ? [] : [`port ${port.id} of router ${router.name || router.id} is down`]),
        ]),
  },
  {
    id: 'dhcp-port-down',
    step: 'record',
    severity: 'broken',
    symptom: 'no lease, for every guest of the network',
    cause: 'the DHCP port of the network is missing or down: there is no namespace to answer in',
    recognised: 'a subnet of the network has DHCP, and no port is `network:dhcp`, or it is down',
    expected: 'the network has a DHCP port that is up',
    mend: 'apply the inventory file again: it makes a DHCP port where one is missing',
    judge: (facts) => {
      const { subnet, network, dhcpPort } = facts.records
      if (subnet?.enableDhcp !== true || dhcpPort?.adminStateUp) return undefined
      // By IPv6 a router serves a guest without a lease.
      const severity = mainFamily(facts) === 6 && facts.path.kind === 'router' ? 'risk' : 'broken'
      const observed =
        dhcpPort === undefined ? `network ${network?.name ?? ''} has no DHCP port` : `DHCP port ${dhcpPort.id} is down`
      return [{ observed, severity }]
    },
  },
  {
    id: 'dhcp-disabled',
    step: 'path',
    severity: 'risk',
    symptom: 'a guest that asks for a lease gets none',
    cause: 'the subnet has no DHCP: the guest must be configured otherwise (config drive)',
    recognised: 'enable_dhcp of the subnet is false',
    expected: 'the subnet has DHCP, or the guest needs none',
    mend: 'set enable_dhcp: true on the subnet, or give the server a config drive',
    judge: ({ records: { subnet } }) =>
      subnet?.enableDhcp === false ? `subnet ${subnet.name || subnet.cidr} has no DHCP` : undefined,
  },
  {
    id: 'gateway-wrong',
    step: 'path',
    severity: 'broken',
    symptom: 'the guest sends its requests to somebody who does not know what to do with them',
    cause: 'the gateway address of the subnet is outside of it, or is that of a port that is no router',
    recognised: 'the port with the gateway address has another owner than a router, or the range has no such address',
    expected: 'the gateway of the subnet is a router, or nobody',
    mend: 'set gateway_ip of the subnet to the address of the router, or give the port another address',
    judge: ({ records: { subnet, gatewayHolder } }) => {
      if (subnet?.gatewayIp == null) return undefined
      const gateway = `gateway ${subnet.gatewayIp} of subnet ${subnet.name || subnet.cidr}`
      // Of IPv6 it may be link-local.
      const isInside =
        contains(subnet.cidr, subnet.gatewayIp) || (subnet.ipVersion === 6 && isLinkLocal(subnet.gatewayIp))
      if (!isInside) return `${gateway} is not in ${subnet.cidr}`
      if (gatewayHolder === undefined || gatewayHolder.deviceOwner.startsWith('network:')) return undefined
      return `${gateway} is that of port ${gatewayHolder.id} (${gatewayHolder.deviceOwner || 'no owner'})`
    },
  },
  {
    id: 'no-path',
    step: 'path',
    severity: 'broken',
    symptom: 'no address answers as 169.254.169.254',
    cause: 'neither DHCP nor a router is to send this guest anywhere, by the options and records there are',
    recognised: 'the planners have no next hop for the metadata address on this subnet',
    expected: 'the guest is sent somewhere',
    mend: 'firstboot datapath set enable_isolated_metadata=true (or force_metadata=true), or give the subnet a router',
    judge: ({ path, records: { fixedIp, network } }) =>
      path.kind === 'none' && fixedIp !== undefined && network?.adminStateUp === true
        ? `no path: ${path.because}`
        : undefined,
  },
  {
    id: 'two-routers',
    step: 'path',
    severity: 'broken',
    symptom: 'some guests of the subnet are answered, those with the other gateway are not',
    cause: 'several routers are on the subnet (IPv4), and none of them has its gateway address',
    recognised:
      'two or more interfaces in the subnet, and the gateway address belongs to nobody or to a router that is down',
    expected: 'of several routers one has the gateway address and is up',
    mend: 'give one of the routers the gateway address, or detach the others',
    // In IPv6 each router advertises itself.
    judge: ({ records: { routers, subnet, gatewayHolder }, path }) =>
      subnet?.ipVersion !== 6 && routers.length > 1 && (gatewayHolder === undefined || path.kind === 'none')
        ? `${routers.map(({ router, address }) => `${router.name || router.id} ${address}`).join(', ')}; the gateway is ${subnet?.gatewayIp ?? 'unset'}`
        : undefined,
  },
  {
    id: 'address-ambiguous',
    step: 'resolution',
    severity: 'broken',
    symptom: 'every path is 404',
    cause: 'two networks behind one router use the same range, and two ports have the guest’s address',
    recognised: 'the agent finds several ports for the address behind the router',
    expected: 'one port has the address where the guest asks',
    mend: 'give one of the ports another address, or join their networks by different routers',
    judge: ({ records: { found, fixedIp } }) =>
      found.length > 1 ? `ports ${found.map(({ id }) => id).join(', ')} have ${fixedIp?.ipAddress}` : undefined,
  },
  {
    id: 'address-unknown',
    step: 'resolution',
    severity: 'broken',
    isSymptom: true,
    symptom: 'every path is 404',
    cause: 'where the guest asks, nobody knows its address',
    recognised: 'the agent finds no port for the address behind this network or router, or another one',
    expected: 'the agent finds this port',
    mend: 'attach the subnet to the router that the guest asks, or let it ask at the DHCP port',
    judge: ({ records: { found, port, fixedIp }, path }) => {
      if (port === undefined || fixedIp === undefined || path.kind === 'none' || found.length > 1) return undefined
      const [one] = found
      if (one?.id === port.id) return undefined
      return one === undefined ? `no port has ${fixedIp.ipAddress} there` : `port ${one.id} has ${fixedIp.ipAddress}`
    },
  },
]
