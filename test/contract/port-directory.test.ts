import { openNeutronDirectory } from '../../src/daemons/port-directory.ts'
import { openInventory } from '../../src/inventory/catalog.ts'
import { openMemoryStore } from '../../src/inventory/memory-store.ts'
import type { MacAddress } from '../../src/inventory/records/address.ts'
import type { NetworkId, ProjectId, RouterId } from '../../src/inventory/records/ids.ts'
import type { Change } from '../../src/inventory/records/records.ts'
import { inventoryDirectory } from '../../src/metadata-agent/inventory-directory.ts'
import { silentLog } from '../../src/observe/log.ts'
import { startFakeNeutron } from '../fakes/fake-neutron.ts'
import { aNetwork, aPort, aSubnet } from '../support/network-records.ts'
import { neutronValues } from '../support/neutron-values.ts'
import { describeDirectory, WORLD } from './port-directory.ts'
import { idOf, routerPorts, wirePorts } from './port-directory-world.ts'

describeDirectory('our inventory', async () => {
  const store = openMemoryStore()
  const network = (name: string) => idOf('network', name) as NetworkId
  const changes: Change[] = [...new Set(WORLD.subnets.map((subnet) => subnet.network))].map((name) => ({
    op: 'put',
    noun: 'network',
    record: aNetwork({ id: network(name) }),
  }))
  for (const { name, network: on, cidr } of WORLD.subnets)
    changes.push({ op: 'put', noun: 'subnet', record: aSubnet(idOf('subnet', name), cidr, { networkId: network(on) }) })
  for (const { name } of WORLD.routers)
    changes.push({
      op: 'put',
      noun: 'router',
      record: {
        id: idOf('router', name) as RouterId,
        projectId: PROJECT,
        name,
        adminStateUp: true,
        externalGateway: null,
        routes: [],
      },
    })
  for (const { name, network: on, mac, addresses, owner, device } of [...WORLD.ports, ...routerPorts()])
    changes.push({
      op: 'put',
      noun: 'port',
      record: aPort(
        idOf('port', name),
        addresses.map((each) => each.replace(/^[^=]+/, (subnet) => idOf('subnet', subnet))),
        { networkId: network(on), macAddress: mac as MacAddress, deviceId: device, deviceOwner: owner },
      ),
    })
  await store.commit(changes, 0)
  const inventory = openInventory(store)
  return {
    directory: inventoryDirectory(inventory),
    id: idOf,
    close: async () => {
      inventory.close()
      await store.close()
    },
  }
})

const PROJECT = '11111111111111111111111111111111' as ProjectId

const neutrons = [
  { name: 'Neutron without a Keystone', options: {}, values: { neutron_auth_type: 'none' } },
  { name: 'Neutron that gives two ports a page', options: { mostPorts: 2 }, values: { neutron_auth_type: 'noauth' } },
  { name: 'Neutron where nothing is kept', options: {}, values: { neutron_auth_type: 'none', port_cache_seconds: 0 } },
] as const

for (const { name, options, values } of neutrons)
  describeDirectory(name, async () => {
    const fake = await startFakeNeutron(options)
    fake.ports.push(...wirePorts())
    const directory = openNeutronDirectory(neutronValues({ ...values, neutron_endpoint_override: fake.url }), silentLog)
    return {
      directory,
      id: idOf,
      close: async () => {
        await directory.close?.()
        await fake.stop()
      },
    }
  })
