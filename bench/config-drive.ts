import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { DriveFile, Image } from '../src/config-drive/image.ts'
import { bytesSource } from '../src/config-drive/image-source.ts'
import { isoImage } from '../src/config-drive/iso9660/write.ts'
import { readImage } from '../src/config-drive/read-image.ts'
import { vfatImage } from '../src/config-drive/vfat/write.ts'
import { writeImage } from '../src/host/image-file.ts'
import { mkisofsArguments } from '../src/host/mkisofs.ts'
import type { Benchmark } from './benchmark.ts'
import { configDriveTables } from './config-drive-tables.ts'
import { childrenCpuMicroseconds, pssKibibytes } from './process-usage.ts'

const ROUNDS = 7
/** In a round. Of the programs' CPU time the kernel tells hundredths of a second. */
const DRIVES = { ours: 200, theirs: 40 }
const WARM_UP = 300

const BATCH = 10_000
/** When memory is looked at. */
const BATCH_STEPS = [1000, 2500, 5000, 7500, BATCH]

const FOLDER = '/run/firstboot-bench/config-drive'
const LABEL = 'config-2'
const PUBLISHER = 'firstboot'
const VFAT_BYTES = 64 * 2 ** 20

/** Of one drive, in microseconds, round by round. */
export interface DriveMeasured {
  readonly what: string
  readonly programs: string
  readonly theirWall: readonly number[]
  readonly ourWall: readonly number[]
  readonly theirCpu: readonly number[]
  readonly ourCpu: readonly number[]
}

export interface BatchMeasured {
  readonly format: string
  readonly drives: number
  readonly seconds: number
  readonly pssKibibytes: number
}

interface Contest {
  readonly what: string
  readonly programs: string
  readonly make: (files: readonly DriveFile[]) => Image
  /** Makes the same with the programs, from files that are there. */
  readonly makeByPrograms: (image: string, tree: string) => void
}

const CONTESTS: readonly Contest[] = [
  {
    what: 'ISO 9660',
    programs: 'genisoimage',
    make: (files) => isoImage(files, { label: LABEL, publisher: PUBLISHER, timestamp: new Date() }),
    makeByPrograms: (image, tree) =>
      spawn('genisoimage', mkisofsArguments(image, tree, { label: LABEL, publisher: PUBLISHER })),
  },
  {
    what: 'VFAT of 64 MiB',
    programs: 'mkfs.vfat, mcopy',
    make: (files) =>
      vfatImage(files, { label: LABEL, sizeBytes: VFAT_BYTES, timestamp: new Date(), serial: Date.now() % 2 ** 32 }),
    makeByPrograms(image, tree) {
      rmSync(image, { force: true })
      writeFileSync(image, '')
      truncateSync(image, VFAT_BYTES)
      spawn('mkfs.vfat', ['-n', LABEL, image])
      spawn('mcopy', ['-s', '-i', image, join(tree, 'openstack'), join(tree, 'ec2'), '::/'])
    },
  },
]

export const configDrive: Benchmark = {
  title: 'Config drives of 20 files and 100 KB',
  async run(say) {
    mkdirSync(FOLDER, { recursive: true })
    const files = typicalFiles()
    const tree = join(FOLDER, 'tree')
    for (const { path, content } of files) {
      mkdirSync(dirname(join(tree, path)), { recursive: true })
      writeFileSync(join(tree, path), content)
    }
    for (const contest of CONTESTS) assertSame(contest, files, tree)
    const measured = CONTESTS.map((contest) => {
      say(`${contest.what}: ${ROUNDS} rounds beside ${contest.programs}`)
      return measure(contest, files, tree)
    })
    const batches = CONTESTS.flatMap((contest) => {
      say(`${contest.what}: ${BATCH} drives`)
      return batch(contest, files)
    })
    return { tables: configDriveTables(measured, batches), notes: NOTES, figures: { measured, batches } }
  },
}

const NOTES = [
  `A drive is worked out from files in memory and written to a tmpfs: ${DRIVES.ours} by firstboot, then ${DRIVES.theirs} by the programs, in each of ${ROUNDS} rounds; the ratio is the median of the rounds’ ratios. firstboot’s process is warm, and its CPU is that of all its threads.`,
  'The programs find their files on the tmpfs already: writing these, which Nova does before each call, is not counted against them. Starting the programs is.',
  'The batch writes one file after the other under the same name; memory is PSS of the whole process, its collector not asked to do anything.',
]

/** As Nova lays out a drive with the default versions: the newest is there twice. */
function typicalFiles(): readonly DriveFile[] {
  const openstack = ['2012-08-10', '2013-10-17', '2016-10-06', '2018-08-27', 'latest'].flatMap((version) =>
    ['meta_data.json', 'network_data.json', 'vendor_data.json'].map((name) => `openstack/${version}/${name}`),
  )
  const others = ['2018-08-27/user_data', 'latest/user_data', 'content/0000'].map((name) => `openstack/${name}`)
  const paths = [...openstack, ...others, 'ec2/2009-04-04/meta-data.json', 'ec2/latest/meta-data.json']
  return paths.map((path) => ({ path, content: Buffer.alloc(path.includes('user_data') ? 15_000 : 3900, path) }))
}

function spawn(program: string, args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(program, args)
  if (error) throw error
  assert.equal(status, 0, `${program}: ${stderr}`)
}

/** Both must have made a drive of the same files before anything is timed. */
function assertSame({ make, makeByPrograms }: Contest, files: readonly DriveFile[], tree: string): void {
  const [ours, theirs] = [join(FOLDER, 'ours'), join(FOLDER, 'theirs')]
  writeImage(ours, make(files))
  makeByPrograms(theirs, tree)
  for (const image of [ours, theirs]) {
    const drive = readImage(bytesSource(readFileSync(image)))
    assert.equal(drive.label, LABEL)
    for (const { path, content } of files) assert.ok(drive.read(path)?.length === content.length, `${image}: ${path}`)
  }
}

function measure({ what, programs, make, makeByPrograms }: Contest, files: readonly DriveFile[], tree: string) {
  const image = join(FOLDER, 'image')
  const measured = {
    theirWall: [] as number[],
    ourWall: [] as number[],
    theirCpu: [] as number[],
    ourCpu: [] as number[],
  }
  for (let drive = 0; drive < WARM_UP; drive += 1) writeImage(image, make(files))
  for (let round = 0; round < ROUNDS; round += 1) {
    const own = timed(DRIVES.ours, ownCpu, () => writeImage(image, make(files)))
    measured.ourWall.push(own.wall)
    measured.ourCpu.push(own.cpu)
    const foreign = timed(DRIVES.theirs, childrenCpuMicroseconds, () => makeByPrograms(image, tree))
    measured.theirWall.push(foreign.wall)
    measured.theirCpu.push(foreign.cpu)
  }
  return { what, programs, ...measured }
}

function ownCpu(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}

/** One of `times`, in microseconds. */
function timed(times: number, cpu: () => number, act: () => void) {
  const [start, used] = [performance.now(), cpu()]
  for (let time = 0; time < times; time += 1) act()
  return { wall: ((performance.now() - start) * 1000) / times, cpu: (cpu() - used) / times }
}

function batch({ what, make }: Contest, files: readonly DriveFile[]): readonly BatchMeasured[] {
  const image = join(FOLDER, 'batch')
  const start = performance.now()
  const steps: BatchMeasured[] = []
  for (let drive = 1; drive <= BATCH; drive += 1) {
    const own = files.map(({ path, content }) => ({ path, content: Buffer.from(content) }))
    writeImage(image, make(own))
    if (!BATCH_STEPS.includes(drive)) continue
    const seconds = (performance.now() - start) / 1000
    steps.push({ format: what, drives: drive, seconds, pssKibibytes: pssKibibytes(process.pid) })
  }
  return steps
}
