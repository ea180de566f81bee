import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openStateDirectory } from '../src/daemons/state-directory.ts'
import { captureProgram } from '../src/host/programs.ts'
import { applyInventory } from '../src/inventory/file/apply.ts'
import { randomGenerators } from '../src/inventory/file/generators.ts'
import { readInventory } from '../src/inventory/file/load.ts'
import { openSqliteStore } from '../src/inventory/sql/sqlite.ts'
import { readInputs } from '../test/nova-inputs.ts'
import { inventoryFileOf } from '../test/nova-inventory-file.ts'
import { printInputs } from '../test/peers/inputs.ts'
import { Random } from '../test/peers/random.ts'
import { plainInstance, type SeedInstance } from '../test/peers/random-instance.ts'
import { type RealNova, startRealNova } from '../test/peers/real-nova.ts'
import { type Asker, writeAskers } from './documents-load.ts'
import { ask, cpuOf, DOCUMENTS, LOAD_CORE, ROUNDS, SECONDS, SERVER_CORE } from './documents-measure.ts'
import { startMetadataApi } from './many-instances.ts'

/** CPU time in microseconds for one document or one crawl, round by round. */
export interface MeasuredBeside {
  readonly document: string
  readonly nova: readonly number[]
  readonly firstboot: readonly number[]
}

const PORT = 18_785
/** The one that printInputs gives Nova. */
const SECRET = 'peer-secret'

/** The same instance in a real Nova and in ours. Without one, a note says what is missing. */
export async function compareWithNova(
  directory: string,
  say: (line: string) => void,
): Promise<{ readonly measured: readonly MeasuredBeside[]; readonly notes: readonly string[] }> {
  const scripts = join(process.env['FIRSTBOOT_PEERS'] ?? '../shared/peers', 'nova')
  if (!existsSync(join(scripts, 'up.sh')) || !existsSync('/usr/bin/nova-metadata-wsgi')) {
    return { measured: [], notes: [`Not beside the real Nova: ${scripts} or the package nova-api is missing.`] }
  }
  const inputs = printInputs([INSTANCE])
  mkdirSync(join(directory, 'nova'), { recursive: true })
  say('the real Nova is started under uWSGI')
  const settings = ['NOVA_PEER_SERVER=uwsgi', 'NOVA_PEER_UWSGI_SOCK=--http11-socket', 'NOVA_PEER_VARIANT=plain']
  const nova = await startRealNova(scripts, join(directory, 'nova'), inputs, settings)
  try {
    const measured = await measureBeside(nova, directory, inputs, say)
    return { measured, notes: [noteOn(nova)] }
  } finally {
    await nova.stop()
  }
}

function noteOn({ release }: RealNova): string {
  return `Nova ${release}, one uWSGI process on SQLite, with its cache of 15 s warm: its best case. Its bytes and ours were the same, but for the seed. Both keep their connections, which uWSGI does not do as Debian sets it up.`
}

async function measureBeside(
  nova: RealNova,
  directory: string,
  inputs: string,
  say: (line: string) => void,
): Promise<readonly MeasuredBeside[]> {
  const state = join(directory, 'state-beside-nova')
  await applyInputs(state, inputs, nova)
  const api = startMetadataApi(state, SERVER_CORE, PORT, SECRET)
  const asker = { id: INSTANCE.uuid, projectId: INSTANCE.project_id }
  try {
    await api.until('a document', () => ask(PORT, '/openstack', asker, SECRET) !== undefined)
    const askers = join(directory, 'askers')
    writeAskers(askers, [asker], SECRET)
    const novas = await pin(nova.pid)
    const load = { core: LOAD_CORE, askers, first: 0, seconds: SECONDS }
    const measured = []
    for (const { name, paths } of DOCUMENTS) {
      say(`${name}: beside the real Nova`)
      for (const path of paths) assertSame(nova, path, asker)
      await cpuOf([api.pid], { ...load, paths, port: PORT }) // for the compiler's sake
      const figures = { nova: [] as number[], firstboot: [] as number[] }
      for (let round = 0; round < ROUNDS; round += 1) {
        figures.nova.push(await cpuOf(novas, { ...load, paths, port: nova.port }))
        figures.firstboot.push(await cpuOf([api.pid], { ...load, paths, port: PORT }))
      }
      measured.push({ document: name, ...figures })
    }
    return measured
  } finally {
    await api.stop()
  }
}

async function applyInputs(state: string, inputs: string, { ec2Ids }: RealNova): Promise<void> {
  const store = await openSqliteStore((await openStateDirectory(state)).database)
  try {
    const file = readInventory('inputs.json', inventoryFileOf(readInputs(inputs), ec2Ids), () => assert.fail())
    const applied = await applyInventory(store, file, randomGenerators, { host: 'host', prune: false, isDry: false })
    assert.deepEqual('problems' in applied ? applied.problems : [], [])
  } finally {
    await store.close()
  }
}

/** All of uWSGI on the server's core. @returns its processes */
async function pin(master: number): Promise<readonly number[]> {
  const workers = readFileSync(`/proc/${master}/task/${master}/children`, 'utf8').trim().split(/\s+/).map(Number)
  const pids = [master, ...workers]
  for (const pid of pids) await captureProgram('taskset', ['-a', '-c', '-p', `${SERVER_CORE}`, `${pid}`])
  return pids
}

function assertSame(nova: RealNova, path: string, asker: Asker): void {
  const read = (port: number) =>
    `${ask(port, path, asker, SECRET)}`.replace(/(?<="random_seed": ")[A-Za-z0-9+/]{683}=(?=")/, '*')
  assert.equal(read(PORT), read(nova.port), `the answers to ${path} differ`)
}

const KEY = `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA${'Ab0'.repeat(16)} bench@example`
const PORT_ID = 'b0000000-0000-4000-8000-000000000002'

const INSTANCE: SeedInstance = {
  ...plainInstance(new Random(1), 'bench'),
  key_name: 'bench',
  key_data: KEY,
  keypair: { name: 'bench', type: 'ssh', data: KEY },
  metadata: new Map([
    ['role', 'web'],
    ['tier', 'front'],
  ]),
  user_data: Buffer.from('#cloud-config\n'.padEnd(2048, '# what runs at the first boot\n')).toString('base64'),
  port_security_groups: [['10000000-0000-4000-8000-000000000001']],
  network_info: [
    {
      id: PORT_ID,
      address: 'fa:16:3e:be:0c:01',
      type: 'ovs',
      devname: `tap${PORT_ID.slice(0, 11)}`,
      network: {
        id: 'b0000000-0000-4000-8000-000000000001',
        subnets: [
          {
            cidr: '10.0.0.0/24',
            version: 4,
            gateway: { address: '10.0.0.1' },
            dns: [{ address: '10.0.0.2' }],
            ips: [{ address: '10.0.0.10', floating_ips: [] }],
            routes: [],
            meta: {},
          },
        ],
        meta: { injected: false, mtu: 1500 },
      },
    },
  ],
}
