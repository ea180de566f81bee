import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { WirePort } from '../fakes/fake-neutron-ports.ts'
import { WORLD, type WorldPort } from './port-directory.ts'

/** A UUID that is always the same for the same name. */
export function idOf(kind: string, name: string): string {
  const hash = createHash('sha256').update(`${kind} ${name}`).digest('hex')
  return hash.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*/, '$1-$2-4$3-8$4-$5')
}

/** The routers' interfaces, which Neutron makes itself. */
export function routerPorts(): readonly WorldPort[] {
  return WORLD.routers.flatMap((router) =>
    router.subnets.map((subnet, i) => ({
      name: `${router.name}-${subnet}`,
      network: WORLD.subnets.find(({ name }) => name === subnet)?.network ?? '',
      mac: `fa:16:3e:ff:00:0${i}`,
      addresses: [`${subnet}=${gateway(subnet)}`],
      owner: 'network:router_interface',
      device: idOf('router', router.name),
      pairs: [],
    })),
  )
}

function gateway(subnet: string): string {
  const cidr = WORLD.subnets.find(({ name }) => name === subnet)?.cidr ?? ''
  return cidr.replace(/0\/24$/, '1').replace(/\/64$/, '')
}

/** One port as the real Neutron told it, for the members that no test looks at. */
const [recorded] = (
  JSON.parse(readFileSync(new URL('../golden/neutron/rest-ports.json', import.meta.url), 'utf8')) as readonly {
    readonly body: { readonly ports: readonly WirePort[] }
  }[]
).flatMap(({ body }) => body.ports)

/** WORLD as Neutron tells it. */
export function wirePorts(): readonly WirePort[] {
  return [...WORLD.ports, ...routerPorts()].map((port) => ({
    ...(recorded as WirePort),
    id: idOf('port', port.name),
    name: port.name,
    network_id: idOf('network', port.network),
    mac_address: port.mac,
    device_id: port.device,
    device_owner: port.owner,
    fixed_ips: port.addresses.map((each) => {
      const [subnet = '', ip_address = ''] = each.split('=')
      return { subnet_id: idOf('subnet', subnet), ip_address }
    }),
    allowed_address_pairs: port.pairs.map((ip_address) => ({ ip_address, mac_address: port.mac })),
  }))
}
