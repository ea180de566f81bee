import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import type { IpAddress, MacAddress } from '../../inventory/records/address.ts'
import type { NetworkId } from '../../inventory/records/ids.ts'
import { type OvnConfig, type OvnNetwork, ovnNamespaces } from './namespace.ts'

// Network, port and addresses of a real cloud, where neutron-ovn-metadata-agent 21.0.0 made this namespace.
const ID = 'da5bb487-5193-4a65-a3df-4a0055a8c0d7' as NetworkId
const CONFIG: OvnConfig = {
  bridge: 'br-int',
  hasIpv6: true,
  metadataProxyDriver: 'native',
  metadataProxySocket: '$OV_DIR/state/metadata_proxy',
  rateLimit: null,
  statePath: '/state',
}

/** What a guest could send to be taken for another. */
const GUESTS_OWN = ['X-Forwarded-For', 'X-Neutron-Router-ID', 'X-Neutron-Network-ID']

function network(options: { id?: string; cidrs?: string[]; guests?: string[]; mtu?: number } = {}): OvnNetwork {
  return {
    id: (options.id ?? ID) as NetworkId,
    name: 'red',
    metadataPort: {
      logicalPort: 'fad0933b-6752-5558-b808-d062d702dc4e',
      mac: 'fa:16:3e:6b:49:53' as MacAddress,
      cidrs: options.cidrs ?? ['10.88.0.2/24'],
      mtu: options.mtu ?? null,
    },
    guestAddresses: (options.guests ?? ['10.88.0.11', '10.88.0.12']) as IpAddress[],
  }
}

const only = (given: OvnNetwork, config = CONFIG) => ovnNamespaces([given], config)[0]

describe('the metadata namespace of an OVN network', () => {
  it('is that of neutron’s agent', () => {
    assert.deepEqual(only(network()), {
      name: `ovnmeta-${ID}`,
      sysctls: {},
      devices: [
        {
          name: 'tapda5bb487-51',
          peer: 'tapda5bb487-50',
          bridge: 'br-int',
          ifaceId: 'fad0933b-6752-5558-b808-d062d702dc4e',
          mac: 'fa:16:3e:6b:49:53',
          mtu: 1500,
          addresses: ['10.88.0.2/24', '169.254.169.254/32'],
        },
      ],
      routes: [],
      firewall: { 4: [], 6: [] },
      listeners: [{ address: '169.254.169.254', port: 80, device: null, stamp: { networkId: ID } }],
      programs: [],
    })
  })

  const addresses: { name: string; given: OvnNetwork; want: string[] }[] = [
    {
      name: 'only subnets that a guest here is on',
      given: network({ cidrs: ['10.88.0.2/24', '10.89.0.2/24', '10.90.0.2/24'], guests: ['10.89.0.9'] }),
      want: ['10.89.0.2/24', '169.254.169.254/32'],
    },
    {
      name: 'the metadata address alone where the localport has none',
      given: network({ cidrs: [] }),
      want: ['169.254.169.254/32'],
    },
    {
      name: 'the IPv6 one with an IPv6 guest',
      given: network({ cidrs: ['10.88.0.2/24', 'fd00::2/64'], guests: ['10.88.0.11', 'fd00::11'] }),
      want: ['10.88.0.2/24', '169.254.169.254/32', 'fe80::a9fe:a9fe/64'],
    },
  ]
  for (const { name, given, want } of addresses)
    it(`has ${name}`, () => assert.deepEqual(only(given)?.devices[0]?.addresses, want))

  it('listens on IPv6 where the kernel has it', () => {
    const given = network({ guests: ['fd00::11'] })
    const stamp = { networkId: ID }
    assert.deepEqual(only(given)?.listeners[1], {
      address: 'fe80::a9fe:a9fe',
      port: 80,
      device: 'tapda5bb487-51',
      stamp,
    })
    assert.equal(only(given, { ...CONFIG, hasIpv6: false })?.listeners.length, 1)
  })

  it('has a haproxy in the place of sockets by option, as neutron’s agent writes it but for what is named', () => {
    const { listeners, programs } = only(network(), { ...CONFIG, metadataProxyDriver: 'haproxy' }) ?? assert.fail()
    assert.deepEqual(listeners, [])
    const golden = readFileSync(new URL('../../../test/golden/ovn/haproxy.conf', import.meta.url), 'utf8')
    const deleted = GUESTS_OWN.map((name) => `    http-request del-header ${name}\n`).join('')
    const expected = golden
      .replace(/^ +(pidfile|daemon).*\n/gm, '')
      .replace(/^ +http-request add-header/m, `${deleted}    http-request set-header`)
    assert.deepEqual(programs, [
      {
        kind: 'haproxy',
        directory: `/state/ns-metadata-proxy/${ID}`,
        arguments: ['-f', `/state/ns-metadata-proxy/${ID}/haproxy.conf`],
        files: { 'haproxy.conf': expected },
      },
    ])
  })

  it('has that haproxy on IPv6 too, where a guest is', () => {
    const [haproxy] =
      only(network({ guests: ['fd00::11'] }), { ...CONFIG, metadataProxyDriver: 'haproxy' })?.programs ?? []
    assert.match(JSON.stringify(haproxy), /bind \[fe80::a9fe:a9fe\]:80 interface tapda5bb487-51/)
  })

  it('has a name of its own for its devices, also beside a network whose id begins alike', () => {
    const twins = [
      'da5bb487-5193-4a65-a3df-4a0055a8c0d7',
      'da5bb487-5fff-4a65-a3df-4a0055a8c0d8',
      'da5bb487-5aaa-4a65-a3df-4a0055a8c0d8',
    ]
    for (const ids of [twins, twins.toReversed()]) {
      const planned = ovnNamespaces(
        ids.map((id) => network({ id })),
        CONFIG,
      )
      const names = planned.flatMap(({ devices }) => devices.flatMap(({ name, peer }) => [name, peer]))
      assert.equal(new Set(names).size, 6)
      assert.ok(
        names.every((name) => name.length <= 15),
        `${names}`,
      )
      assert.ok(names.includes('tapda5bb487-50'))
    }
  })
})
