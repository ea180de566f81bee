import type { IpAddress } from '../../inventory/records/address.ts'
import type { Port } from '../../inventory/records/port.ts'
import type { RecordSet } from '../../inventory/records/records.ts'
import type { Server } from '../../inventory/records/server.ts'
import { type Terminal, table } from '../terminal.ts'
import type { Finding } from './verify.ts'

export interface Verified {
  readonly server: Server
  readonly findings: readonly Finding[]
  /** The last line on its console, as it may be shown; empty when it has printed nothing. */
  readonly lastLine: string
}

/** What is about to come up. */
export function topology(records: RecordSet, terminal: Terminal): string[] {
  const rows = [...records.network.values()].toSorted(byName).map((network) => {
    const subnets = [...records.subnet.values()].filter(({ networkId }) => networkId === network.id)
    const servers = [...records.server.values()].toSorted(byName).flatMap((server) =>
      portsOf(server, records)
        .filter(({ networkId }) => networkId === network.id)
        .map((port) => `${server.name} ${addressesOf(port).join(' ')}`),
    )
    return [`  ${network.name}`, subnets.map(({ cidr }) => cidr).join(' '), `qdhcp-${network.id}`, servers.join(', ')]
  })
  return [
    '',
    ...table([['  network', 'range', 'namespace', 'servers'], ...rows]).map((line, i) =>
      i === 0 ? terminal.paint('dim', line) : line,
    ),
    '',
  ]
}

/** What each guest was told, against its record, and the proof that an address alone says nothing. */
export function verdict(verified: readonly Verified[], records: RecordSet, terminal: Terminal): string[] {
  const heading = ['  server', 'address', ...(verified[0]?.findings.map(({ what }) => what) ?? [])]
  const rows = verified.map(({ server, findings }) => [
    `  ${server.name}`,
    portsOf(server, records).flatMap(addressesOf).join(' '),
    ...findings.map((finding) => finding.verdict),
  ])
  const wrong = verified.flatMap(missing)
  const shared = equalAddresses(verified, records)
  return [
    '',
    terminal.paint('bold', 'What each guest was told, compared with its record:'),
    ...table([heading, ...rows]),
    ...wrong.map((line) => terminal.paint('red', line)),
    ...(shared.length === 0 ? [] : ['', terminal.paint('bold', 'Equal addresses, different answers:'), ...shared]),
    '',
    verified.length === 0
      ? 'No server of the file has `hypervisor: namespace`, so nothing boots here. Add it to a server to watch it boot.'
      : wrong.length === 0
        ? terminal.paint('green', `${verified.length} of ${verified.length} guests have exactly their own metadata.`)
        : terminal.paint('red', 'Not every guest has its metadata.'),
  ]
}

/** What a guest was told wrongly, and what stopped it from asking for the rest. */
function missing({ server, findings, lastLine }: Verified): string[] {
  const wrong = findings.filter((finding) => finding.verdict === 'WRONG')
  const unasked = findings.filter((finding) => finding.verdict === 'has not asked')
  return [
    ...wrong.map(({ what, detail }) => `  ${server.name}: ${what}: ${detail}`),
    ...(unasked.length === 0 ? [] : [`  ${server.name}: the last it said: ${lastLine || 'nothing'}`]),
  ]
}

/** `10.0.0.11 on blue-net is blue-1, on green-net is green-1`, for every address that several networks use. */
function equalAddresses(verified: readonly Verified[], records: RecordSet): string[] {
  const uses = verified.flatMap(({ server, findings }) => {
    const identity = findings.find(({ what }) => what === 'identity')
    return portsOf(server, records).flatMap((port) =>
      addressesOf(port).map((address) => ({
        address,
        text: `${server.name} (${identity?.detail ?? ''}) on ${records.network.get(port.networkId)?.name ?? port.networkId}`,
      })),
    )
  })
  return [...Map.groupBy(uses, ({ address }) => address)]
    .filter(([, same]) => same.length > 1)
    .map(([address, same]) => `  ${address} is ${same.map(({ text }) => text).join(' and ')}`)
}

/** What to try in another terminal. */
export function hints(guests: readonly Server[], records: RecordSet, terminal: Terminal): string[] {
  const [any] = records.server.values()
  const first = (guests[0] ?? any)?.name ?? 'SERVER'
  const hasIpv4 = (guests[0] === undefined ? [] : portsOf(guests[0], records)).flatMap(addressesOf).some(isIpv4)
  const path = 'openstack/latest/meta_data.json'
  const [url, route, giver] = hasIpv4
    ? [`http://169.254.169.254/${path}`, 'ip route', 'DHCP']
    : [`'http://[fe80::a9fe:a9fe%25eth0]/${path}'`, 'ip -6 route', 'its router']
  const inside: [string, string][] = [
    [`exec --lab ${first} -- curl -s ${url}`, 'ask as the guest'],
    [`exec --lab ${first} -- ${route}`, `see the route ${giver} gave it`],
  ]
  const lines: [string, string][] = [
    ...(guests.length > 0 ? inside : []),
    [`render --lab ${first} /latest/meta-data/`, 'what it would be told, without any network'],
    ['list --lab ports', 'what exists; also servers, networks, subnets, ...'],
    [`show --lab server ${first}`, 'everything that guest may ever read'],
    ['apply --lab -f FILE', 'change it while it runs: the next request sees it'],
  ]
  return [
    '',
    terminal.paint('bold', 'Everything stays up. Try in another terminal:'),
    ...lines.flatMap(([line, meaning]) => [terminal.paint('dim', `  # ${meaning}`), `  npx firstboot ${line}`]),
    '',
    'Ctrl-C takes it all away.',
  ]
}

function portsOf(server: Server, records: RecordSet): Port[] {
  return server.portIds.flatMap((id) => records.port.get(id) ?? [])
}

function addressesOf(port: Port): IpAddress[] {
  return port.fixedIps.map(({ ipAddress }) => ipAddress)
}

function isIpv4(address: IpAddress): boolean {
  return !address.includes(':')
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name.localeCompare(b.name)
}
