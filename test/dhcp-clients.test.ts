import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { IpAddress } from '../src/inventory/records/address.ts'
import {
  NamespaceGuest,
  noSandbox,
  RecordsInHand,
  type RunningDatapath,
  startDatapath,
  temporaryDirectory,
} from './support/datapath-machine.ts'
import { eventually } from './support/eventually.ts'
import { kernelTurn } from './support/kernel-turn.ts'
import { aDhcpPort, aNetwork, aPort, aSubnet, NETWORK } from './support/network-records.ts'

await kernelTurn()

// One isolated network, and on it a guest for each of the programs that distributions get their leases with. All run at
// once, with their own scripts: what counts is the route that the kernel has afterwards.

interface Client {
  readonly name: string
  readonly command: readonly [string, ...string[]]
  /** What its image has in /etc for it. */
  readonly files?: Readonly<Record<string, string>>
}

const SCRIPT = new URL('support/udhcpc-script.sh', import.meta.url)
const UDHCPC = ['env', 'LEASE_FILE=/run/lease', 'busybox', 'udhcpc'] as const

const CLIENTS: readonly Client[] = [
  {
    // By itself it does not ask for option 121, nor set what it got.
    name: 'udhcpc',
    command: [...UDHCPC, '-f', '-i', 'eth0', '-O', 'staticroutes', '-s', '/etc/udhcpc-script.sh'],
    files: { 'udhcpc-script.sh': readFileSync(SCRIPT, 'utf8') },
  },
  { name: 'dhclient', command: ['dhclient', '-d', 'eth0'] },
  { name: 'dhcpcd', command: ['dhcpcd', '--nobackground', 'eth0'] },
  {
    name: 'systemd-networkd',
    command: ['/lib/systemd/systemd-networkd'],
    files: {
      'machine-id': '0123456789abcdef0123456789abcdef\n',
      'systemd/network/eth0.network': '[Match]\nName=eth0\n[Network]\nDHCP=ipv4\n',
    },
  },
]

const IN_GUEST = ['unshare', '--mount', '--uts', '--pid', '--mount-proc', '--fork', '--kill-child', '--']
const RUN = fileURLToPath(new URL('support/dhcp-client.sh', import.meta.url))

describe('a guest without a router has its address and the route to metadata by', { skip: noSandbox }, () => {
  const state = temporaryDirectory()
  const subnet = aSubnet('s', '10.0.0.0/24', { gatewayIp: '10.0.0.1' as IpAddress })
  const guests = CLIENTS.map((client, i) => {
    const address = `10.0.0.${10 + i}`
    const port = aPort(`aaaaaaa${i}-g`, [`${subnet.id}=${address}`])
    return { client, address, guest: new NamespaceGuest(client.name, port, state.path), port }
  })
  const running: ChildProcess[] = []
  let datapath: RunningDatapath

  before(async () => {
    const inventory = new RecordsInHand()
    const ports = [aDhcpPort('aaaaaaaa-d', `${subnet.id}=10.0.0.2`), ...guests.map(({ port }) => port)]
    inventory.change({
      network: new Map([[NETWORK, aNetwork()]]),
      subnet: new Map([[subnet.id, subnet]]),
      port: new Map(ports.map((port) => [port.id, port])),
    })
    datapath = startDatapath(inventory, state.path)
    assert.deepEqual((await datapath.reconciler.start()).failed, [])
    await Promise.all(guests.map(({ guest }) => guest.plug()))
    for (const { client, guest } of guests) running.push(start(client, guest.netns))
  })
  after(async () => {
    for (const client of running) client.kill('SIGKILL')
    await Promise.all(guests.map(({ guest }) => guest.remove()))
    await datapath?.reconciler.teardown()
    await datapath?.leave()
    state.remove()
  })

  const start = ({ name, command, files = {} }: Client, netns: string) => {
    const own = join(state.path, name)
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(own, path)), { recursive: true })
      writeFileSync(join(own, path), text, { mode: 0o755 })
    }
    mkdirSync(own, { recursive: true })
    return spawn('ip', ['netns', 'exec', netns, ...IN_GUEST, RUN, own, ...command], { stdio: 'ignore' })
  }

  for (const { client, address, guest } of guests)
    it(client.name, async () => {
      const routes = () => execFileSync('ip', ['-n', guest.netns, 'route'], { encoding: 'utf8' })
      await eventually('the route is set', () => /^169\.254\.169\.254 via 10\.0\.0\.2 /m.test(routes()), 40_000)
      assert.match(routes(), /^default via 10\.0\.0\.1 /m)
      assert.match((await guest.run('ip', '-4', 'address', 'show', 'eth0')).stdout, new RegExp(`inet ${address}/24 `))
      assert.equal(await guest.get('http://169.254.169.254/'), `${NETWORK} ${address}`)
    })
})
