import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { guestRootProblem } from '../../bootstrap/guest-root.js'
import type { OvsdbServer } from '../ovsdb/ovsdb-server.ts'
import { firstboot } from '../support/daemon.ts'
import { noSandbox } from '../support/datapath-machine.ts'
import { type BootEvidence, bootEvidence, bootLightInstance, type LightInstance } from '../support/light-instance.ts'
import type { Chassis } from './chassis.ts'
import { openServedCloud, type ServedCloud, until } from './served-cloud.ts'

/*
 *   front 10.0.0.0/24, fd00:f4::/64 -- logical router        chassis-1: web 10.0.0.11, agent
 *   back  10.0.0.0/24, isolated                              chassis-2: db  10.0.0.11, agent
 *
 * Addresses and the way to metadata by OVN's own DHCP, as ML2/OVN sets it; documents from guests.yaml, by each agent.
 */

const INVENTORY = fileURLToPath(new URL('guests.yaml', import.meta.url))
const PROJECT = 'ac25d9f8bd1640128f7c24b5e2a3f0aa'

interface Server {
  readonly name: string
  readonly id: string
  readonly network: string
  readonly port: string
  readonly mac: string
  readonly cidrs: string
  /** `classless_static_route` of its subnet's DHCP. */
  readonly routes: string
  readonly hasDefaultRoute: boolean
}

const SERVERS: readonly Server[] = [
  {
    name: 'web',
    id: '0eb00000-1111-4000-8000-000000000001',
    network: 'f4070000-5193-4a65-a3df-4a0055a8c0d7',
    port: '0eb00000-7425-40de-944b-e07fc1f90ae7',
    mac: 'fa:16:3e:11:22:33',
    cidrs: '10.0.0.11/24 fd00:f4::11/64',
    routes: '{169.254.169.254/32,10.0.0.2, 0.0.0.0/0,10.0.0.1}',
    hasDefaultRoute: true,
  },
  {
    name: 'db',
    id: '0db00000-1111-4000-8000-000000000002',
    network: 'bac40000-5193-4a65-a3df-4a0055a8c0d7',
    port: '0db00000-7425-40de-944b-e07fc1f90ae7',
    mac: 'fa:16:3e:11:22:44',
    cidrs: '10.0.0.11/24',
    routes: '{169.254.169.254/32,10.0.0.2}',
    hasDefaultRoute: false,
  },
]

describe('unmodified cloud-init on two chassis of OVN', { skip: noSandbox || (guestRootProblem() ?? false) }, () => {
  let served: ServedCloud<OvsdbServer>
  const instances = new Map<string, { readonly instance: LightInstance; readonly seen: BootEvidence }>()
  const chassisOf = (i: number) => served.cloud.chassis[i] as Chassis

  before(async () => {
    served = await openServedCloud()
    const { cloud } = served
    for (const [i, server] of SERVERS.entries()) {
      await addServer(server)
      const [program, ...args] = firstboot('apply', '-f', INVENTORY, `--state-dir=${served.stateOf(chassisOf(i))}`)
      execFileSync(program, args, { stdio: 'ignore' })
      await served.startAgent(chassisOf(i), '--answer-from=inventory')
    }
    const front = `neutron-${SERVERS[0]?.network}`
    await cloud.nb('lr-add', 'edge', '--', 'lrp-add', 'edge', 'edge-front', 'fa:16:3e:00:00:01', '10.0.0.1/24')
    await cloud.nb(
      'lsp-add',
      front,
      'front-edge',
      '--',
      'lsp-set-type',
      'front-edge',
      'router',
      '--',
      'lsp-set-addresses',
      'front-edge',
      'router',
      '--',
      'lsp-set-options',
      'front-edge',
      'router-port=edge-front',
    )
    await cloud.sync()
    await Promise.all(
      SERVERS.map(async ({ name, port, mac }, i) => {
        await chassisOf(i).plug({ name, logicalPort: port, mac, cidrs: [] })
        const instance = await bootLightInstance(chassisOf(i).machine, name)
        instances.set(name, { instance, seen: bootEvidence(instance) })
      }),
    )
  })
  after(async () => {
    await Promise.all(Array.from(instances.values(), ({ instance }) => instance.stop()))
    await served?.close()
  })

  async function addServer({ id, network, port, mac, cidrs, routes, hasDefaultRoute }: Server): Promise<void> {
    const { cloud } = served
    await served.addNetwork(network, '10.0.0.2/24')
    await cloud.addPort({ network, id: port, mac, cidrs, instance: id, project: PROJECT })
    const options = await cloud.nb(
      'create',
      'DHCP_Options',
      'cidr=10.0.0.0/24',
      'options:lease_time=3600',
      'options:mtu=1442',
      'options:server_id=10.0.0.1',
      'options:server_mac=fa:16:3e:00:00:01',
      ...(hasDefaultRoute ? ['options:router=10.0.0.1'] : []),
      `options:classless_static_route="${routes}"`,
    )
    await cloud.nb('lsp-set-dhcpv4-options', port, options)
  }

  for (const { name, id, hasDefaultRoute } of SERVERS)
    describe(name, () => {
      const instance = () => instances.get(name)?.instance as LightInstance
      const seen = () => instances.get(name)?.seen as BootEvidence

      it('finds the OpenStack datasource, and ends without an error', () => {
        assert.match(seen().datasource, /^DataSourceOpenStackLocal \[net,ver=2\]$/)
        assert.deepEqual(seen().errors, [])
        assert.deepEqual(
          seen().requests.filter((request) => !request.startsWith('200 ')),
          [],
        )
      })

      it('takes its own name and key, though both have one address', () => {
        assert.equal(seen().hostname, name)
        assert.match(instance().read('/home/debian/.ssh/authorized_keys'), /alice@shop/)
        const known = JSON.parse(instance().read('/run/cloud-init/instance-data.json')) as {
          v1: { instance_id: string }
        }
        assert.equal(known.v1.instance_id, id)
      })

      it('has the address and routes of OVN’s DHCP', () => {
        assert.match(instance().run('ip', '-4', '-oneline', 'address', 'show', 'eth0'), /inet 10\.0\.0\.11\/24 /)
        const routes = instance().run('ip', 'route')
        assert.match(routes, /^169\.254\.169\.254 via 10\.0\.0\.2 /m)
        assert.equal(/^default via 10\.0\.0\.1 /m.test(routes), hasDefaultRoute, routes)
      })
    })

  it('answers web by IPv6 too, known by its MAC', async () => {
    const url = 'http://[fe80::a9fe:a9fe%25eth0]/openstack/latest/meta_data.json'
    const ask = () => chassisOf(0).inGuest('web', 'curl', '-sS', '--max-time', '2', '--globoff', url)
    const said = await until(ask, (text) => text.startsWith('{'))
    assert.equal((JSON.parse(said) as { readonly uuid: string }).uuid, SERVERS[0]?.id)
  })

  it('answers each by the agent of its own chassis', () => {
    for (const [i, server] of SERVERS.entries()) {
      assert.ok(served.namespaces(chassisOf(i)).includes(server.network))
      assert.ok(!served.namespaces(chassisOf(1 - i)).includes(server.network))
    }
  })
})
