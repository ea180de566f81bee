import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { cidr, exampleInstance, exampleInterface, exampleSubnet, fixedIp, ip } from '../../test/nova-example.ts'
import { writeJson } from '../documents/json.ts'
import type { InterfaceSubnet } from '../inventory/records/instance.ts'
import { networkConfig } from './network-config.ts'

const ipv6 = (changes: Partial<InterfaceSubnet>) =>
  exampleSubnet({
    ipVersion: 6,
    cidr: cidr('fd00::/64'),
    gateway: ip('fd00::1'),
    addresses: [fixedIp('fd00::5')],
    ...changes,
  })
const MAC = 'fa:16:3e:41:0c:7a'

describe('network-config', () => {
  const subnets: readonly {
    name: string
    given: InterfaceSubnet
    one: readonly object[]
    two: object
  }[] = [
    {
      name: 'a fixed IPv4 address',
      given: exampleSubnet({
        dnsServers: [ip('9.9.9.9')],
        routes: [{ destination: cidr('10.9.0.0/16'), gateway: ip('198.51.100.9') }],
      }),
      one: [
        {
          type: 'static',
          address: '198.51.100.23/24',
          gateway: '198.51.100.1',
          dns_nameservers: ['9.9.9.9'],
          routes: [{ network: '10.9.0.0', netmask: '255.255.0.0', gateway: '198.51.100.9' }],
        },
      ],
      two: {
        dhcp4: false,
        dhcp6: false,
        addresses: ['198.51.100.23/24'],
        routes: [
          { to: '0.0.0.0/0', via: '198.51.100.1' },
          { to: '10.9.0.0/16', via: '198.51.100.9' },
        ],
        nameservers: { addresses: ['9.9.9.9'] },
      },
    },
    {
      name: 'DHCP',
      given: exampleSubnet({ enableDhcp: true }),
      one: [{ type: 'dhcp4' }],
      two: { dhcp4: true, dhcp6: false },
    },
    {
      name: 'a fixed IPv6 address',
      given: ipv6({}),
      one: [{ type: 'static6', address: 'fd00::5/64', gateway: 'fd00::1' }],
      two: {
        dhcp4: false,
        dhcp6: false,
        addresses: ['fd00::5/64'],
        routes: [{ to: '::/0', via: 'fd00::1' }],
      },
    },
    {
      name: 'router advertisements',
      given: ipv6({ ipv6AddressMode: 'slaac', enableDhcp: true }),
      one: [{ type: 'ipv6_slaac' }],
      two: { dhcp4: false, dhcp6: false, 'accept-ra': true },
    },
    {
      name: 'DHCPv6',
      given: ipv6({ ipv6AddressMode: 'dhcpv6-stateful', enableDhcp: true }),
      one: [{ type: 'dhcp6' }],
      two: { dhcp4: false, dhcp6: true },
    },
  ]
  for (const { name, given, one, two } of subnets)
    it(`tells ${name} in both versions`, () => {
      const instance = exampleInstance({ interfaces: [exampleInterface({ subnets: [given] })] })
      assert.deepEqual(plain(networkConfig(instance, 1)), {
        version: 1,
        config: [{ type: 'physical', name: 'eth0', mac_address: MAC, mtu: 1442, subnets: one }],
      })
      assert.deepEqual(plain(networkConfig(instance, 2)), {
        version: 2,
        ethernets: { eth0: { match: { macaddress: MAC }, 'set-name': 'eth0', mtu: 1442, ...two } },
      })
    })

  it('is left out where there is no interface', () => assert.equal(networkConfig(exampleInstance(), 2), undefined))
})

/** As a YAML or JSON reader sees it. */
function plain(config: ReturnType<typeof networkConfig>): unknown {
  return config === undefined ? undefined : JSON.parse(writeJson(config))
}
