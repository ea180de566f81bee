import { ownCommand } from '../src/daemons/own-command.ts'
import { openStateDirectory } from '../src/daemons/state-directory.ts'
import { fromNumber, type IpAddress, type MacAddress, toNumber } from '../src/inventory/records/address.ts'
import type { InstanceId, PortId, SubnetId } from '../src/inventory/records/ids.ts'
import type { Change } from '../src/inventory/records/records.ts'
import { openSqliteStore } from '../src/inventory/sql/sqlite.ts'
import { GROUP, PROJECT, put, server, surroundings } from '../test/contract/sample-records.ts'
import { aNetwork, aPort, aSubnet } from '../test/support/network-records.ts'
import type { Asker } from './documents-load.ts'
import { inCore } from './placing.ts'
import { type ServerProcess, startServer } from './server-process.ts'

// `firstboot metadata-api` with an inventory of so many instances, each with one port of one large network.

export const SHARED_SECRET = 'bench-secret'

const SUBNET = 'b0000006-0000-4000-8000-000000000001' as SubnetId
const FIRST_ADDRESS = toNumber('10.0.0.10' as IpAddress)
/** 2 KiB, as a small cloud-config has. */
const USER_DATA = Buffer.from('#cloud-config\n'.padEnd(2048, '# what runs at the first boot\n')).toString('base64')

export function askers(count: number): readonly Asker[] {
  return Array.from({ length: count }, (_, i) => ({ id: uuid(9, i + 1), projectId: PROJECT }))
}

/** Writes the inventory. @param state  a directory that is made */
export async function writeInstances(state: string, count: number): Promise<void> {
  const { database } = await openStateDirectory(state)
  const store = await openSqliteStore(database)
  try {
    const { sequence } = await store.load()
    await store.commit(recordsOf(count), sequence)
  } finally {
    await store.close()
  }
}

export function startMetadataApi(
  state: string,
  core: number,
  port: number,
  sharedSecret = SHARED_SECRET,
): ServerProcess {
  const options = ['--state-dir', state, '--metadata-listen-port', `${port}`, '--log-level', 'warn']
  const secret = ['--metadata-proxy-shared-secret', sharedSecret]
  const documents = ['--release', 'zed', '--dhcp-domain', '']
  return startServer(inCore(core, ownCommand('metadata-api', ...options, ...secret, ...documents)))
}

function recordsOf(count: number): readonly Change[] {
  const dnsNameservers = ['10.0.0.2', '10.0.0.3'] as IpAddress[]
  const subnet = aSubnet(SUBNET, '10.0.0.0/8', {
    projectId: PROJECT,
    gatewayIp: '10.0.0.1' as IpAddress,
    enableDhcp: false,
    dnsNameservers,
  })
  return [
    ...surroundings,
    put('project', { id: PROJECT, name: 'bench', metadataTokens: 'off' }),
    put('network', aNetwork({ projectId: PROJECT })),
    put('subnet', subnet),
    ...Array.from({ length: count }, (_, i) => instanceOf(i)).flat(),
  ]
}

function instanceOf(index: number): readonly Change[] {
  const [portId, serverId] = [uuid(8, index + 1) as PortId, uuid(9, index + 1) as InstanceId]
  const address = fromNumber(FIRST_ADDRESS + BigInt(index), 4)
  const owner = { deviceId: serverId, deviceOwner: 'compute:nova', projectId: PROJECT, securityGroupIds: [GROUP] }
  const own = { id: serverId, portIds: [portId], userData: USER_DATA, availabilityZone: 'nova' }
  return [
    put('port', { ...aPort(portId, [`${SUBNET}=${address}`], owner), macAddress: macAddress(index) }),
    put('server', server(index + 1, own)),
  ]
}

function macAddress(index: number): MacAddress {
  const octets = index.toString(16).padStart(6, '0').replace(/../g, ':$&')
  return `fa:16:3e${octets}` as MacAddress
}

function uuid(noun: number, number: number): string {
  return `b000000${noun}-0000-4000-8000-${String(number).padStart(12, '0')}`
}
