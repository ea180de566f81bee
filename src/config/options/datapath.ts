import { inFiles, integer, oneOf, packetMark, text, truth } from '../option.ts'
import { rateLimitOptions } from './rate-limit.ts'

/** What carries the networks of `firstboot up`. */
export const carrierOptions = {
  datapath: oneOf(
    ['bridges', 'ovn'],
    'bridges',
    'bridges of this host, with dnsmasq and router namespaces; or OVN, whose Northbound is written for the inventory. Then servers are run by others (`hypervisor: external`), who plug each port into the integration bridge with its id as iface-id.',
  ),
}

export const socketKeeperOptions = {
  socket_keeper: text(
    'PATH',
    '',
    'Unix socket of the keeper of sockets in namespaces. Default: run/sockets in the state directory.',
  ),
}

export const answerOptions = {
  answer_from: oneOf(
    ['agent', 'inventory'],
    'agent',
    'Ask the metadata agent on its unix socket, or answer from the inventory itself.',
  ),
}

/** Options of the DHCP path, under dhcp_agent.ini's names. */
export const dhcpOptions = {
  enable_isolated_metadata: inFiles(
    truth(true, 'Do not serve metadata from the DHCP port of networks without a router.'),
    ['DEFAULT.enable_isolated_metadata'],
    'false',
  ),
  force_metadata: inFiles(truth(false, 'Send the guests of every network with DHCP to the DHCP port for metadata.'), [
    'DEFAULT.force_metadata',
  ]),
  enable_metadata_network: inFiles(
    truth(false, 'On a network with a subnet in 169.254.0.0/16 and a router, answer for all networks of that router.'),
    ['DEFAULT.enable_metadata_network'],
  ),
  dhcp_lease_duration: inFiles(
    integer(
      'SECONDS',
      86_400,
      'Lease time. So long a router that was detached is answered for, since guests may hold a route by it.',
      { min: 120, max: 2_147_483_647 },
    ),
    ['DEFAULT.dhcp_lease_duration'],
  ),
  dns_domain: inFiles(text('DOMAIN', 'openstacklocal', 'Domain that dnsmasq gives to guests.'), ['DEFAULT.dns_domain']),
}

/** Options of the router path, under l3_agent.ini's names. */
export const routerOptions = {
  enable_metadata_proxy: inFiles(truth(true, 'Do not serve metadata in the namespaces of routers.'), [
    'DEFAULT.enable_metadata_proxy',
  ]),
  metadata_port: inFiles(
    integer('PORT', 9697, 'Port on which the metadata proxy listens in the namespace of a router.', {
      min: 1,
      max: 65_535,
    }),
    ['DEFAULT.metadata_port'],
  ),
  metadata_access_mark: inFiles(
    packetMark(
      '0x1',
      'Mark of packets that are for the metadata address; 16 bits, and not 0x2, which marks those from the external network.',
    ),
    ['DEFAULT.metadata_access_mark'],
  ),
}

/** What answers in the namespaces. */
export const proxyOptions = {
  metadata_proxy_driver: oneOf(
    ['native', 'haproxy'],
    'native',
    'What answers in the namespaces: one process of ours for all, or a haproxy in each as the field has it.',
  ),
  ...rateLimitOptions,
}

/** All that decides about namespaces. */
export const datapathOptions = { ...dhcpOptions, ...routerOptions, ...proxyOptions }
