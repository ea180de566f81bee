import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ownCommand } from '../src/daemons/own-command.ts'
import { dhcpNamespaceName } from '../src/datapath/dhcp/namespace.ts'
import { ipBatch } from '../src/host/iproute.ts'
import { inNamespace, netnsInode, netnsPath } from '../src/host/netns.ts'
import { addNetns, deleteNetns, plugPort } from '../src/host/plug.ts'
import type { MacAddress } from '../src/inventory/records/address.ts'
import type { NetworkId, PortId } from '../src/inventory/records/ids.ts'
import { bridgeName } from '../src/inventory/records/network.ts'
import { tapName } from '../src/inventory/records/port.ts'
import { ask } from './ask.ts'
import { inCore } from './placing.ts'
import { type ServerProcess, startServer } from './server-process.ts'

// One network with one guest, served as on any host:
//
//   bench-guest                                                       qdhcp-<network>
//   eth0 10.0.0.10/24  <-- veth -->  brq<network>  <-- veth -->  ns-<dhcp port> 169.254.169.254
//                                                                       :80   <- firstboot up, which is outside
//                                                                       :8080 <- whoever else listens there

const NETWORK = 'b0000000-0000-4000-8000-000000000001' as NetworkId
const PORT = 'b0000000-0000-4000-8000-000000000002' as PortId
const MAC = 'fa:16:3e:be:0c:01' as MacAddress
const ADDRESS = '10.0.0.10'
const MTU = 1500

export const SERVER = 'b0000000-0000-4000-8000-000000000003'
export const EC2_INSTANCE_ID = 'i-0000002a'
/** 2 KiB, as a small cloud-config has. */
export const USER_DATA = '#cloud-config\n'.padEnd(2047, '# what runs at the first boot of the guest\n').concat('\n')

/** An inventory file (JSON is YAML too). */
const INVENTORY = JSON.stringify({
  keypairs: [{ name: 'bench', public_key: `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA${'Ab0'.repeat(16)} bench@example` }],
  networks: [{ id: NETWORK, name: 'bench', mtu: MTU, subnets: [{ cidr: '10.0.0.0/24', gateway_ip: null }] }],
  ports: [{ id: PORT, network: 'bench', mac_address: MAC, fixed_ips: [{ ip_address: ADDRESS }] }],
  servers: [
    {
      id: SERVER,
      name: 'bench',
      ec2_instance_id: EC2_INSTANCE_ID,
      key_name: 'bench',
      metadata: { role: 'web', tier: 'front' },
      networks: [{ port: PORT }],
      user_data: USER_DATA,
    },
  ],
})

export interface ServedGuest {
  readonly firstboot: ServerProcess
  /** Where the guest is. */
  readonly guestNetns: string
  /** Where the metadata service is reached. */
  readonly serviceNetns: string
  stop(): Promise<void>
}

/**
 * Brings up `firstboot up` and a guest. Resolves when the guest is answered.
 * @param directory  for the inventory file and the state
 * @param core  on which firstboot runs
 */
export async function serveGuest(directory: string, core: number): Promise<ServedGuest> {
  const inventory = join(directory, 'inventory.json')
  const state = join(directory, 'state')
  writeFileSync(inventory, INVENTORY)
  const up = ownCommand('up', '-f', inventory, '-s', state, '--log-level', 'warn')
  const firstboot = startServer(inCore(core, up))
  const guestNetns = 'bench-guest'
  const serviceNetns = dhcpNamespaceName(NETWORK)
  const stop = async () => {
    await firstboot.stop()
    await deleteNetns(guestNetns)
    rmSync(state, { recursive: true, force: true })
  }
  try {
    await firstboot.until('the namespace of the network', () => netnsInode(netnsPath(serviceNetns)) !== undefined)
    await plugGuest(guestNetns)
    await firstboot.until('an answer to the guest', () => ask(guestNetns, 'http://169.254.169.254/')?.status === 200)
  } catch (error) {
    await stop()
    throw error
  }
  return { firstboot, guestNetns, serviceNetns, stop }
}

async function plugGuest(netns: string): Promise<void> {
  await addNetns(netns)
  await plugPort({ bridge: bridgeName(NETWORK), tap: tapName({ id: PORT }), netns, inner: 'eth0', mac: MAC, mtu: MTU })
  await ipBatch(
    [
      ['address', 'add', `${ADDRESS}/24`, 'dev', 'eth0'],
      ['link', 'set', 'eth0', 'up'],
      ['route', 'add', '169.254.169.254/32', 'dev', 'eth0'],
    ],
    netns,
  )
  inNamespace<void>(netnsPath(netns), () => {
    for (const [name, value] of Object.entries(MANY_CONNECTIONS)) writeFileSync(`/proc/sys/net/ipv4/${name}`, value)
  })
}

/** Lets the guest make a new connection for every request without running out of ports, of which each would else be
 *  unusable for a minute: within seconds it would do nothing but look for a free one. */
const MANY_CONNECTIONS = { ip_local_port_range: '1024 65535', tcp_tw_reuse: '1' } as const
