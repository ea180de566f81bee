import type { Injection } from './injection.ts'
import { GUEST_INJECTIONS } from './of-guests.ts'
import { NAMESPACE_INJECTIONS } from './of-namespaces.ts'
import { SERVICE_INJECTIONS } from './of-services.ts'

/** `iso-*` ask at the DHCP port, `rtd-*` behind a router, and `pair` has a second port on a network that is down. The others are born ill, and no guest of theirs runs. */
export const INVENTORY = `
projects: [{ name: p }]
networks:
  - name: isolated
    project: p
    subnets:
      - { name: isolated, cidr: 10.3.0.0/24 }
      - { name: isolated6, cidr: 'fd00:3::/64', ipv6_address_mode: slaac, ipv6_ra_mode: slaac }
  - { name: routed, project: p, subnets: [{ name: routed, cidr: 10.1.0.0/24 }] }
  - { name: down, project: p, admin_state_up: false, subnets: [{ name: down, cidr: 10.4.0.0/24 }] }
  - { name: stopped, project: p, subnets: [{ name: stopped, cidr: 10.5.0.0/24 }] }
  - { name: silent, project: p, subnets: [{ name: silent, cidr: 10.6.0.0/24, enable_dhcp: false, gateway_ip: null }] }
routers:
  - { name: r, project: p, interfaces: [routed] }
  - { name: off, project: p, admin_state_up: false, interfaces: [stopped] }
# These guests are made to send as others, which port security would keep from the wire.
ports:
  - { name: iso-1, project: p, network: isolated, port_security_enabled: false, fixed_ips: [{ ip_address: 10.3.0.11 }] }
  - { name: iso-2, project: p, network: isolated, port_security_enabled: false, fixed_ips: [{ ip_address: 10.3.0.12 }] }
  - { name: pair, project: p, network: isolated, fixed_ips: [{ ip_address: 10.3.0.21 }] }
  - { name: rtd-1, project: p, network: routed, port_security_enabled: false, fixed_ips: [{ ip_address: 10.1.0.11 }] }
  - { name: rtd-2, project: p, network: routed, port_security_enabled: false, fixed_ips: [{ ip_address: 10.1.0.12 }] }
servers:
  - { name: iso-1, project: p, networks: [{ port: iso-1 }] }
  - { name: iso-2, project: p, networks: [{ port: iso-2 }] }
  - { name: rtd-1, project: p, networks: [{ port: rtd-1 }] }
  - { name: rtd-2, project: p, networks: [{ port: rtd-2 }] }
  - { name: pair, project: p, networks: [{ port: pair }, { network: down }] }
  - { name: on-down, project: p, networks: [{ network: down }] }
  - { name: on-stopped, project: p, networks: [{ network: stopped }] }
  - { name: on-silent, project: p, networks: [{ network: silent }] }
  - { name: scribbled, project: p, networks: [{ network: isolated }], user_data: "packages: [nginx]" }
  - { name: alone, project: p, networks: [] }
`

export const INJECTIONS: readonly Injection[] = [...GUEST_INJECTIONS, ...NAMESPACE_INJECTIONS, ...SERVICE_INJECTIONS]
