/** Guests of one network, each with its own address, as an inventory file. */

export const NETWORK = 'c0000000-0000-4000-8000-000000000001'
export const GUESTS = 200
/** All of it is local to the machine of the benchmark: who connects to an address of it comes from that address. */
export const RANGE = '10.9.0.0/16'

const addresses = Array.from({ length: GUESTS }, (_, i) => `10.9.0.${i + 1}`)
const idOf = (kind: string, i: number) => `${kind}0000000-0000-4000-8000-${String(i + 1).padStart(12, '0')}`

export const INVENTORY = JSON.stringify({
  networks: [{ id: NETWORK, name: 'bench', subnets: [{ cidr: '10.9.0.0/24', gateway_ip: null }] }],
  ports: addresses.map((ip_address, i) => ({ id: idOf('d', i), network: 'bench', fixed_ips: [{ ip_address }] })),
  servers: addresses.map((_, i) => ({ id: idOf('e', i), name: `bench-${i}`, networks: [{ port: idOf('d', i) }] })),
})
