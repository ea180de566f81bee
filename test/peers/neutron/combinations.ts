import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { captureProgram, lastLines } from '../../../src/host/programs.ts'
import { type NovaInstance, readInputs } from '../../nova-inputs.ts'
import { inventoryFileOf } from '../../nova-inventory-file.ts'
import { firstboot } from '../../support/daemon.ts'
import { startRealNova } from '../real-nova.ts'
import { type Answer, type Guest, plugGuest } from './guest.ts'
import { type NeutronApi, neutronApi } from './neutron-api.ts'
import { neutronFiles, type Service, startDaemon, untilFree } from './services.ts'

/** What a guest asks. */
const PATHS = [
  '/',
  '/openstack',
  '/openstack/latest',
  '/openstack/latest/meta_data.json',
  '/openstack/2018-08-27/network_data.json',
  '/openstack/latest/user_data',
  '/openstack/latest/vendor_data.json',
  '/openstack/latest/vendor_data2.json',
  '/openstack/latest/password',
  '/openstack/latest/nothing',
  '/latest/meta-data/',
  '/latest/meta-data/instance-id',
  '/latest/meta-data/local-ipv4',
  '/latest/meta-data/public-keys/0/openssh-key',
  '/latest/user-data',
  '/2009-04-04/meta-data/placement/availability-zone',
  '/latest//meta-data/hostname?x=1',
]

export type Whose = 'real' | 'ours'

export interface Combination {
  readonly agent: Whose
  readonly api: Whose
  readonly requests: number
  /** What a guest got otherwise than from the real agent and the real API. */
  readonly differences: readonly string[]
}

export interface CombinationsOptions {
  /** The folder `nova` of the peers. */
  readonly novaScripts: string
  /** Where the peer of Neutron keeps what it made. */
  readonly neutronDirectory: string
  readonly neutronUrl: string
  /** Ours, for what is made here. */
  readonly directory: string
  readonly say: (line: string) => void
}

const SECRET = 'peer-secret'

/**
 * Guests on real networks ask through the real proxies: by way of the DHCP namespace and of the router. Each agent with
 * each metadata API in turn has to give them what the real pair gives.
 *
 * Runs in the peer's network and mount namespace.
 */
export async function tryCombinations(options: CombinationsOptions): Promise<readonly Combination[]> {
  const { novaScripts, neutronDirectory, neutronUrl, directory, say } = options
  const files = neutronFiles(neutronDirectory)
  const inputs = readFileSync(join(novaScripts, 'inputs.json'), 'utf8')
  const known = readInputs(inputs)
  const nova = await startRealNova(novaScripts, directory, inputs)
  say(`the real Nova ${nova.release} is up`)

  const state = join(directory, 'firstboot')
  const inventory = join(directory, 'inventory.json')
  writeFileSync(inventory, inventoryFileOf(known, nova.ec2Ids))
  await run(...firstboot('apply', '-f', inventory, '--state-dir', state))

  const guests = await makeGuests(neutronApi(neutronUrl), [...known.instances])
  say(`${guests.length} guests are plugged`)

  const agentFile = join(directory, 'metadata_agent.ini')
  writeFileSync(
    agentFile,
    [
      '[DEFAULT]',
      'nova_metadata_host = 127.0.0.1',
      `nova_metadata_port = ${nova.port}`,
      `metadata_proxy_shared_secret = ${SECRET}`,
      'metadata_workers = 1',
      '',
    ].join('\n'),
  )
  const neutronFile = join(directory, 'neutron_access.ini')
  writeFileSync(neutronFile, `[neutron]\nauth_type = none\nendpoint_override = ${neutronUrl}\n`)

  const settings = ['--config-file', files.config, '--config-file', agentFile]
  const agents: Readonly<Record<Whose, () => Promise<Service>>> = {
    real: () =>
      startDaemon(['neutron-metadata-agent', ...settings], join(directory, 'real-agent.log'), {
        path: files.agentSocket,
      }),
    ours: () =>
      startDaemon(
        firstboot('metadata-agent', ...settings, '--config-file', neutronFile, '--state-dir', state),
        join(directory, 'our-agent.log'),
        { path: files.agentSocket },
      ),
  }

  await endProcess(Number(readFileSync(files.agentPid, 'utf8')))
  const results: Combination[] = []
  let wanted: ReadonlyMap<string, Answer> | undefined
  const tryBoth = async (api: Whose) => {
    for (const agent of ['real', 'ours'] as const) {
      const service = await agents[agent]()
      const got = await askAll(guests)
      await service.stop()
      wanted ??= got
      const differences = compare(wanted, got)
      results.push({ agent, api, requests: got.size, differences })
      const found = [...got.values()].filter(({ status }) => status === 200).length
      say(`agent ${agent}, API ${api}: ${got.size} requests, ${found} of them found, ${differences.length} differences`)
    }
  }
  await tryBoth('real')
  await endProcess(nova.pid)
  await untilFree(nova.port)
  const api = await startDaemon(
    firstboot(
      'metadata-api',
      '--config-file',
      join(directory, 'state/etc/nova.conf'),
      '--release',
      'zed',
      '--state-dir',
      state,
    ),
    join(directory, 'our-api.log'),
    { port: nova.port },
  )
  await tryBoth('ours')
  await api.stop()
  await nova.stop()
  return results
}

interface NamedGuest {
  readonly name: string
  readonly guest: Guest
}

/** Two networks, one of them behind a router, and a guest on each for instances that Nova knows. */
async function makeGuests(api: NeutronApi, instances: readonly NovaInstance[]): Promise<readonly NamedGuest[]> {
  const routed = ['10.77.2.1', '10.77.2.0/24'] as const
  const isolated = ['10.77.1.1', '10.77.1.0/24'] as const
  const made: NamedGuest[] = []
  for (const [index, [gateway, cidr]] of [isolated, routed].entries()) {
    const network = await api.create('networks', { name: `peer-${index}` })
    const subnet = await api.create('subnets', { network_id: network.id, ip_version: 4, cidr, name: `peer-${index}` })
    if (cidr === routed[1]) {
      const router = await api.create('routers', { name: 'peer' })
      await api.attach(router.id, subnet.id)
    }
    const wanted = instances.filter(({ case: name }) => CASES[index]?.includes(name))
    for (const { case: name, uuid, project_id } of wanted) {
      const port = await api.create('ports', {
        network_id: network.id,
        device_id: uuid,
        device_owner: 'compute:nova',
        project_id,
        'binding:host_id': 'nt-host',
      })
      const route = cidr === routed[1] ? ['default', 'via', gateway] : ['169.254.169.254', 'dev', 'eth0']
      made.push({ name, guest: await plugGuest(`g-${name}`, port, route) })
    }
  }
  return made
}

/** Instances of the isolated and of the routed network. */
const CASES: readonly (readonly string[])[] = [
  ['a-plain', 'c2-userdata-gzip'],
  ['d-metadata', 'c1-userdata-shell'],
]

/** Proxies and rules take their time; what is compared is asked once the way is open. */
async function askAll(guests: readonly NamedGuest[]): Promise<ReadonlyMap<string, Answer>> {
  const answers = new Map<string, Answer>()
  for (const { name, guest } of guests) {
    await untilOpen(name, guest)
    for (const path of PATHS) answers.set(`${name} ${path}`, await guest.get(path))
  }
  return answers
}

/** @throws when the guest gets no answer in two minutes */
async function untilOpen(name: string, guest: Guest): Promise<void> {
  const end = performance.now() + 120_000
  for (;;) {
    const { status } = await guest.get('/')
    if (status === 200) return
    if (performance.now() > end) throw new Error(`guest ${name} has no way to the metadata: ${status}`)
    await pause(500)
  }
}

/** Statuses, and types and bytes of documents. The page of an error is each agent's own. */
function compare(wanted: ReadonlyMap<string, Answer>, got: ReadonlyMap<string, Answer>): readonly string[] {
  return [...wanted].flatMap(([asked, want]) => {
    const have = got.get(asked)
    if (have?.status !== want.status) return [`${asked}: ${want.status}, now ${have?.status}`]
    if (want.status !== 200) return []
    if (masked(have.body) !== masked(want.body)) return [`${asked}: another body`]
    return have.contentType === want.contentType ? [] : [`${asked}: ${want.contentType}, now ${have.contentType}`]
  })
}

function masked(body: string): string {
  return body.replace(/"random_seed": "[^"]*"/, '"random_seed": ""')
}

async function run(...[program = '', ...args]: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await captureProgram(program, args)
  if (exitCode !== 0) throw new Error(`${program} ${args.join(' ')} failed: ${lastLines(stderr, 5)}`)
}

/** Ends a process that is not our child, with what it started. */
async function endProcess(pid: number): Promise<void> {
  if (!isAlive(pid)) return
  process.kill(pid, 'SIGTERM')
  const end = performance.now() + 20_000
  while (isAlive(pid)) {
    if (performance.now() > end) process.kill(pid, 'SIGKILL')
    await pause(100)
  }
}

function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}
