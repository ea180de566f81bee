import { openNeutronDirectory } from '../../../src/daemons/port-directory.ts'
import { silentLog } from '../../../src/observe/log.ts'
import { type OpenedDirectory, WORLD } from '../../contract/port-directory.ts'
import { idOf } from '../../contract/port-directory-world.ts'
import { neutronValues } from '../../support/neutron-values.ts'
import type { NeutronApi } from './neutron-api.ts'

const PROJECT = '11111111111111111111111111111111'

/** WORLD in a real Neutron, and our directory that asks it. What it made stays: the peer is thrown away afterwards. */
export async function openWorldInNeutron(api: NeutronApi): Promise<OpenedDirectory> {
  const ids = new Map<string, string>()
  const made = (kind: string, name: string, record: { readonly id: string }) => ids.set(`${kind} ${name}`, record.id)
  const known = (kind: string, name: string) => ids.get(`${kind} ${name}`) ?? idOf(kind, name)

  for (const name of new Set(WORLD.subnets.map(({ network }) => network)))
    made('network', name, await api.create('networks', { name, project_id: PROJECT }))
  for (const { name, network, cidr } of WORLD.subnets) {
    const version = cidr.includes(':')
      ? { ip_version: 6, ipv6_ra_mode: 'slaac', ipv6_address_mode: 'slaac' }
      : { ip_version: 4 }
    // Without DHCP ports of its own, which would take addresses that ours are to have.
    const subnet = { name, network_id: known('network', network), cidr, project_id: PROJECT, ...version }
    made('subnet', name, await api.create('subnets', cidr.includes(':') ? subnet : { ...subnet, enable_dhcp: false }))
  }
  for (const { name, subnets } of WORLD.routers) {
    made('router', name, await api.create('routers', { name, project_id: PROJECT }))
    for (const subnet of subnets) await api.attach(known('router', name), known('subnet', subnet))
  }
  for (const { name, network, mac, addresses, owner, device, pairs } of WORLD.ports) {
    const port = {
      name,
      network_id: known('network', network),
      project_id: PROJECT,
      mac_address: mac,
      device_id: device,
      device_owner: owner,
      fixed_ips: addresses.map((each) => {
        const [subnet = '', ip_address = ''] = each.split('=')
        // Neutron makes a SLAAC address of the MAC itself.
        return { subnet_id: known('subnet', subnet), ...(ip_address.includes(':') ? {} : { ip_address }) }
      }),
      ...(pairs.length === 0 ? {} : { allowed_address_pairs: pairs.map((ip_address) => ({ ip_address })) }),
    }
    made('port', name, await api.create('ports', port))
  }
  const directory = openNeutronDirectory(
    neutronValues({ neutron_auth_type: 'none', neutron_endpoint_override: api.url, neutron_timeout: 30 }),
    silentLog,
  )
  return { directory, id: known, close: async () => directory.close?.() }
}
