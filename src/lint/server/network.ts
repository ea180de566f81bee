import type { InstanceInterface } from '../../inventory/records/instance.ts'
import type { Check } from '../finding.ts'
import type { Subject } from './subject.ts'

const addressesOf = ({ subnets }: InstanceInterface) => subnets.flatMap(({ addresses }) => addresses)

export const networkChecks: readonly Check<Subject>[] = [
  {
    name: 'network/no-carrier',
    severity: 'error',
    breaks: ['every guest'],
    how: 'nothing leads to the metadata service, and there is no disk either: the guest learns nothing',
    mend: 'give the server a port (networks), or config_drive: true',
    look: ({ server, instance }) =>
      instance.interfaces.length === 0 && !server.configDrive
        ? { problem: 'has no port and no config drive' }
        : undefined,
  },
  {
    name: 'network/port-gone',
    severity: 'error',
    breaks: ['every guest'],
    how: 'network_data.json leaves the interface out, so the guest does not configure it',
    mend: 'create the port again, or take it off the server',
    look: ({ server, instance }) => {
      const shown = new Set(instance.interfaces.map(({ portId }) => portId))
      return server.portIds.filter((id) => !shown.has(id)).map((id) => ({ problem: `its port ${id} does not exist` }))
    },
  },
  {
    name: 'network/no-address',
    severity: 'warning',
    breaks: ['cloud-init', 'cloudbase-init', 'Talos'],
    how: 'network_data.json tells no network for it, so the guest leaves the interface down',
    mend: 'give the port an address (fixed_ips), or configure the interface by user data',
    look: ({ instance: { interfaces } }) =>
      interfaces
        .filter((vif) => addressesOf(vif).length === 0)
        .map(({ portId, macAddress }) => ({ problem: `port ${portId} (${macAddress}) has no address` })),
  },
  {
    name: 'network/no-ipv4',
    severity: 'warning',
    breaks: ['CirrOS', 'afterburn', 'NixOS'],
    how: 'they ask 169.254.169.254 only, which a guest without IPv4 does not reach; EC2 local-ipv4 is the address it asks from, or the word None',
    mend: 'add an IPv4 subnet, or config_drive: true',
    look: ({ server, instance: { interfaces } }) => {
      const addresses = interfaces.flatMap(addressesOf)
      const hasOnlyIpv6 = addresses.length > 0 && addresses.every(({ address }) => address.includes(':'))
      return hasOnlyIpv6 && !server.configDrive ? { problem: 'no port has an IPv4 address' } : undefined
    },
  },
  {
    name: 'network/static-only',
    severity: 'warning',
    breaks: ['cloud-init', 'CirrOS', 'afterburn', 'cloudbase-init'],
    how: 'the guest needs its address to ask for its address: without DHCP it has none yet (clients that ask fe80::a9fe:a9fe still get through)',
    mend: 'give it config_drive: true, or enable DHCP on one of its subnets',
    look: ({ server, instance: { interfaces } }) => {
      const subnets = interfaces.flatMap((vif) => vif.subnets)
      const isStatic =
        subnets.length > 0 &&
        subnets.every(({ enableDhcp, ipv6AddressMode }) => !enableDhcp && ipv6AddressMode === null)
      return isStatic && !server.configDrive
        ? { problem: 'no subnet of its ports has DHCP, and there is no config drive' }
        : undefined
    },
  },
  {
    name: 'network/duplicate-mac',
    severity: 'error',
    breaks: ['cloud-init', 'cloudbase-init', 'Talos'],
    how: 'links are told apart by their MAC address: cloud-init stops with "duplicate mac found" and configures no network',
    mend: 'give one of the ports another mac_address',
    look: ({ instance: { interfaces } }) => {
      const macs = interfaces.map(({ macAddress }) => macAddress)
      const twice = new Set(macs.filter((mac, i) => macs.indexOf(mac) !== i))
      return [...twice].map((mac) => ({ problem: `two of its ports have the MAC address ${mac}` }))
    },
  },
  {
    name: 'network/device-mac',
    severity: 'warning',
    breaks: ['every guest'],
    how: 'devices of meta_data.json tell of a NIC that the guest does not have, so its tag finds nothing',
    mend: "use the mac_address of one of its ports, or tag the server's network instead",
    look: ({ instance: { devices, interfaces } }) =>
      devices
        .filter((device) => device.type === 'nic')
        .filter(({ mac }) => !interfaces.some(({ macAddress }) => macAddress === mac))
        .map(({ mac }) => ({
          problem: `a device has the MAC address ${mac}, which none of its ports has`,
          member: 'devices',
        })),
  },
]
