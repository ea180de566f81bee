import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Benchmark } from './benchmark.ts'
import { type Asker, type DocumentsLoad, writeAskers } from './documents-load.ts'
import { ask, cpuOf, DOCUMENTS, LOAD_CORE, ROUNDS, SECONDS, SERVER_CORE } from './documents-measure.ts'
import { compareWithNova } from './documents-nova.ts'
import { documentTables } from './documents-tables.ts'
import { staticConfig } from './haproxy.ts'
import { askers, SHARED_SECRET, startMetadataApi, writeInstances } from './many-instances.ts'
import { inCore } from './placing.ts'
import { type ServerProcess, startServer } from './server-process.ts'

/** Who asks. `isDrawn`: everybody has asked before. Otherwise each round has other askers, who never have. */
const STAGES = [
  { instances: 1, asking: 1, isDrawn: true },
  { instances: 1000, asking: 1000, isDrawn: true },
  { instances: 100_000, asking: 1000, isDrawn: true },
  { instances: 30_000, asking: 30_000, isDrawn: false },
  { instances: 100_000, asking: 100_000, isDrawn: false },
] as const

/** More than can be drawn for the first time in one round. */
const ANEW_PER_ROUND = 15_000

const PORT = 18_775
const HAPROXY_PORT = 18_080

/** CPU time of the server in microseconds for one document or one crawl, round by round. */
export interface Measured {
  readonly document: string
  readonly instances: number
  readonly asking: number
  readonly haproxy: readonly number[]
  readonly firstboot: readonly number[]
}

export const documents: Benchmark = {
  title: 'Documents of the metadata API for 1, 1,000 and 100,000 instances',
  async run(say) {
    const directory = '/run/firstboot-bench/documents'
    mkdirSync(directory, { recursive: true })
    const measured: Measured[] = []
    for (const instances of new Set(STAGES.map((stage) => stage.instances))) {
      measured.push(...(await measureWith(instances, directory, say)))
    }
    const beside = await compareWithNova(directory, say)
    return {
      tables: documentTables(measured, beside.measured),
      notes: [...NOTES, ...beside.notes],
      figures: { measured, beside: beside.measured },
    }
  },
}

const NOTES = [
  `\`firstboot metadata-api\` on core ${SERVER_CORE}, asked by wrk on core ${LOAD_CORE} as a metadata agent asks, each request signed, over kept connections; haproxy answers the same paths with the same bytes from memory and looks at no signature.`,
  `${ROUNDS} rounds of ${SECONDS} s for each server and row: CPU is utime + stime by the answers given, the median of the rounds; the ratio is the median of the rounds’ ratios.`,
  'Where 100,000 of 100,000 instances ask, or 30,000 of 30,000 (2 rounds), each round has other askers, and their documents are drawn for the first time (network_data.json, which is the same in all versions, has been when the crawl comes to it); elsewhere they have been drawn before. Documents a second are what one core gives when it does nothing else.',
]

async function measureWith(instances: number, directory: string, say: (line: string) => void): Promise<Measured[]> {
  const state = join(directory, `state-${instances}`)
  say(`${instances} instances are written`)
  await writeInstances(state, instances)
  const api = startMetadataApi(state, SERVER_CORE, PORT)
  try {
    const all = askers(instances)
    const [first = assert.fail(), last = first] = [all[0], all.at(-1)]
    await api.until('a document', () => ask(PORT, '/openstack', first, SHARED_SECRET) !== undefined)
    for (const asker of [first, last]) assertOwn(asker)
    const haproxy = startStatic(directory, first)
    try {
      const rows: Measured[] = []
      await warmUp(api, directory, first)
      for (const { asking, isDrawn } of STAGES.filter((stage) => stage.instances === instances)) {
        const file = join(directory, 'askers')
        writeAskers(file, mixed(all).slice(0, asking), SHARED_SECRET)
        for (const { name, paths } of DOCUMENTS) {
          say(`${name}: ${asking} of ${instances} instances`)
          const figures = await rounds(api, haproxy, { askers: file, paths }, { asking, isDrawn })
          rows.push({ document: name, instances, asking, ...figures })
        }
      }
      return rows
    } finally {
      await haproxy.stop()
    }
  } finally {
    await api.stop()
  }
}

/** In an order in which neighbours are far apart in memory. */
function mixed(all: readonly Asker[]): readonly Asker[] {
  const stride = 7919 // a prime that divides none of the numbers of instances
  return all.map((asker, index) => all[(index * stride) % all.length] ?? asker)
}

type Stage = Pick<(typeof STAGES)[number], 'asking' | 'isDrawn'>

async function rounds(
  api: ServerProcess,
  haproxy: ServerProcess,
  what: Pick<DocumentsLoad, 'askers' | 'paths'>,
  { asking, isDrawn }: Stage,
) {
  const figures = { haproxy: [] as number[], firstboot: [] as number[] }
  const load = { ...what, core: LOAD_CORE, seconds: SECONDS }
  const count = isDrawn ? ROUNDS : Math.min(ROUNDS, Math.floor(asking / ANEW_PER_ROUND))
  if (isDrawn) await cpuOf([api.pid], { ...load, first: 0, port: PORT })
  for (let round = 0; round < count; round += 1) {
    const first = Math.floor((round * asking) / count)
    figures.firstboot.push(await cpuOf([api.pid], { ...load, first, port: PORT }))
    figures.haproxy.push(await cpuOf([haproxy.pid], { ...load, first, port: HAPROXY_PORT }))
  }
  return figures
}

/** For the compiler's sake, by one asker, so that nobody else's documents are drawn. */
async function warmUp(api: ServerProcess, directory: string, asker: Asker): Promise<void> {
  const file = join(directory, 'warm-up')
  writeAskers(file, [asker], SHARED_SECRET)
  const load = { core: LOAD_CORE, askers: file, first: 0, seconds: SECONDS, port: PORT }
  for (const { paths } of DOCUMENTS) await cpuOf([api.pid], { ...load, paths })
}

function assertOwn(asker: Asker): void {
  const document = ask(PORT, '/openstack/latest/meta_data.json', asker, SHARED_SECRET)
  assert.equal(JSON.parse(`${document}`).uuid, asker.id, 'an instance got the document of another')
}

function startStatic(directory: string, asker: Asker): ServerProcess {
  const paths = [...new Set(DOCUMENTS.flatMap((document) => document.paths))]
  const files = paths.map((path) => {
    const file = join(directory, path.replaceAll('/', '_'))
    writeFileSync(file, ask(PORT, path, asker, SHARED_SECRET) ?? assert.fail(`no answer to ${path}`))
    return { path, contentType: 'text/plain; charset=UTF-8', file }
  })
  const config = join(directory, 'haproxy.conf')
  writeFileSync(config, staticConfig('127.0.0.1', HAPROXY_PORT, files))
  return startServer(inCore(SERVER_CORE, ['haproxy', '-db', '-f', config]))
}
