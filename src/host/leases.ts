/**
 * A lease file of dnsmasq without the leases that its hosts file contradicts. An address that was another port's stays
 * leased to that port's MAC address for a day otherwise, and whoever has it now gets no lease at all. (Neutron sends a
 * DHCPRELEASE in the name of the port that is gone.) Pure.
 *
 * A line is `expiry mac address name client-id`, in IPv6 `expiry iaid address name duid` below a line `duid ...`.
 *
 * @param host  `mac,name.domain,address` a line, an IPv6 address in brackets and behind a tag
 */
export function withoutStaleLeases(leases: string, host: string): string {
  const reserved = host.split('\n').map((line) => line.split(','))
  const isReserved = (mac: string, address: string) =>
    address.includes(':')
      ? reserved.some((fields) => fields.includes(`[${address}]`))
      : reserved.some((fields) => fields[0] === mac && fields.includes(address))
  const isKept = (line: string) => {
    const [first = '', mac = '', address = ''] = line.split(' ')
    return first === 'duid' || isReserved(mac, address)
  }
  return leases
    .split('\n')
    .filter((line) => line !== '' && isKept(line))
    .map((line) => `${line}\n`)
    .join('')
}
