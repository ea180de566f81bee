import { contains, fromNumber, type IpAddress, type MacAddress, toNumber } from '../../records/address.ts'
import type { NetworkId, SubnetId } from '../../records/ids.ts'
import type { Subnet } from '../../records/subnet.ts'

/** Who has which address and MAC on each network. */
export class AddressBook {
  readonly #owners = new Map<string, string>()
  readonly #cursors = new Map<SubnetId, { pool: number; next: bigint }>()

  /** Who has it, in words for a message. */
  ownerOf(network: NetworkId, client: IpAddress | MacAddress): string | undefined {
    return this.#owners.get(`${network} ${client}`)
  }

  claim(network: NetworkId, client: IpAddress | MacAddress, owner: string): void {
    this.#owners.set(`${network} ${client}`, owner)
  }

  /** The lowest address of the subnet's pools that nobody has. Addresses are never given back, so the search goes on
   *  where it ended the time before. */
  lowestFree({ id, networkId, allocationPools, gatewayIp, ipVersion }: Subnet): IpAddress | undefined {
    const cursor = this.#cursors.get(id) ?? { pool: 0, next: 0n }
    this.#cursors.set(id, cursor)
    for (; cursor.pool < allocationPools.length; cursor.pool += 1, cursor.next = 0n) {
      const pool = allocationPools[cursor.pool]
      if (pool === undefined) continue
      const end = toNumber(pool.end)
      for (cursor.next ||= toNumber(pool.start); cursor.next <= end; cursor.next += 1n) {
        const address = fromNumber(cursor.next, ipVersion)
        if (address !== gatewayIp && this.ownerOf(networkId, address) === undefined) return address
      }
    }
    return undefined
  }
}

/** `10.0.0.2 to 10.0.0.254`: what can be chosen from. */
export function poolsInWords({ allocationPools }: Subnet): string {
  return allocationPools.map(({ start, end }) => (start === end ? start : `${start} to ${end}`)).join(', ')
}

/** `choose an address from 10.0.0.2 to 10.0.0.254`. */
export function choice(subnet: Subnet): string {
  const pools = poolsInWords(subnet)
  return pools.includes(' ') ? `choose an address from ${pools}` : `choose ${pools || 'another subnet'}`
}

export function subnetWith(subnets: readonly Subnet[], address: IpAddress): Subnet | undefined {
  return subnets.find(({ cidr }) => contains(cidr, address))
}
