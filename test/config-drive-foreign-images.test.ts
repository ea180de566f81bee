import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type DriveFile, DriveProblem } from '../src/config-drive/image.ts'
import { bytesSource, imageBytes } from '../src/config-drive/image-source.ts'
import { readImage } from '../src/config-drive/read-image.ts'
import { vfatImage } from '../src/config-drive/vfat/write.ts'
import { assertSameFiles, contentsOf, fileSource, TIMESTAMP } from './support/drives.ts'
import { run, writeTree } from './support/foreign-readers.ts'
import { randomBytes, randomNumbers, randomTree } from './support/random-trees.ts'

// What others write, as we read it.

const MEBIBYTE = 2 ** 20
const NOVA = ['-ldots', '-allow-lowercase', '-allow-multidot', '-l', '-publisher', 'OpenStack Nova 26.2.2', '-quiet']
const CHARSET = ['-input-charset', 'utf-8']
const file = (path: string, content = path): DriveFile => ({ path, content: Buffer.from(content) })

const DRIVE: readonly DriveFile[] = [
  file('openstack/2018-08-27/meta_data.json', '{"uuid": "x"}'),
  file('openstack/latest/user_data', '#!/bin/sh\n'),
  { path: 'openstack/content/0000', content: randomBytes(100_000, randomNumbers(1)) },
  file('ec2/latest/meta-data.json', '{}'),
  file('empty', ''),
]
const DEEP = file(`${'deep/'.repeat(12)}file`)
const LONG = file(`${'l'.repeat(200)}/${'ü'.repeat(120)}`)

let folder: string
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'firstboot-foreign-'))
})
after(() => rmSync(folder, { recursive: true, force: true }))

function readBack(image: string) {
  return readImage(fileSource(image))
}

describe('an ISO 9660 image that we read', () => {
  const WRITERS = [
    { name: 'genisoimage as Nova calls it', program: ['genisoimage', ...NOVA, ...CHARSET, '-J', '-r'], files: DRIVE },
    { name: 'with folders moved away', program: ['genisoimage', '-quiet', ...CHARSET, '-r'], files: [...DRIVE, DEEP] },
    { name: 'with deep folders', program: ['genisoimage', '-quiet', ...CHARSET, '-r', '-D'], files: [...DRIVE, DEEP] },
    { name: 'with long names', program: ['genisoimage', '-quiet', ...CHARSET, '-r'], files: [...DRIVE, LONG] },
    { name: 'with Joliet alone', program: ['genisoimage', '-quiet', ...CHARSET, '-J'], files: DRIVE },
    { name: 'xorrisofs', program: ['xorrisofs', '-quiet', '-J', '-r'], files: [...DRIVE, DEEP, LONG] },
    { name: 'xorrisofs with Joliet alone', program: ['xorrisofs', '-quiet', '-J', '--norock'], files: DRIVE },
    { name: 'a random tree', program: ['genisoimage', ...NOVA, ...CHARSET, '-r'], files: randomTree(21) },
    { name: 'another', program: ['xorrisofs', '-quiet', '-r'], files: randomTree(22) },
  ]
  for (const { name, program, files } of WRITERS) {
    it(name, () => {
      const [tree, image] = [join(folder, `${name} tree`), join(folder, `${name}.iso`)]
      writeTree(tree, files)
      const [command = '', ...options] = program
      run(command, [...options, '-V', 'config-2', '-o', image, tree])
      const drive = readBack(image)
      assert.equal(drive.format, 'iso9660')
      assert.equal(drive.label, 'config-2')
      assertSameFiles(contentsOf(drive), files)
    })
  }

  it('without extensions has the names of the primary tree', () => {
    const [tree, image] = [join(folder, 'plain tree'), join(folder, 'plain.iso')]
    writeTree(tree, [file('readme'), file('sub/data.txt')])
    run('genisoimage', ['-quiet', ...CHARSET, '-o', image, tree])
    const paths = readBack(image).entries.map(({ path }) => path)
    assert.deepEqual(paths, ['README', 'SUB', 'SUB/DATA.TXT'])
  })
})

describe('a FAT volume that we read', () => {
  for (const [name, size, files] of [
    ['FAT12', 4 * MEBIBYTE, [...DRIVE, DEEP, LONG]],
    ['FAT16, as Nova has it', 64 * MEBIBYTE, [...DRIVE, DEEP, LONG]],
    ['FAT32', 512 * MEBIBYTE, [...DRIVE, DEEP, LONG]],
    ['a floppy disk', 1440 * 1024, DRIVE],
    // Not with a tilde: mtools 4.0.32 gives some of those an alias that fsck.vfat calls bad.
    ['FAT16 with a random tree', 16 * MEBIBYTE, randomTree(23).filter(({ path }) => !path.includes('~'))],
  ] as const) {
    it(name, () => {
      const [tree, image] = [join(folder, `${name} tree`), join(folder, `${name}.img`)]
      writeTree(tree, files)
      format(image, size)
      const roots = new Set(files.map(({ path }) => join(tree, path.split('/')[0] ?? '')))
      run('mcopy', ['-s', '-i', image, ...roots, '::/'])
      const drive = readBack(image)
      assert.equal(drive.format, 'vfat')
      assert.equal(drive.label, 'config-2')
      assertSameFiles(contentsOf(drive), files)
    })
  }

  it('has holes in its chains where files were deleted', () => {
    const image = join(folder, 'used.img')
    format(image, 4 * MEBIBYTE)
    const put = (name: string, bytes: Uint8Array) => run('mcopy', ['-o', '-i', image, '-', `::/${name}`], bytes)
    const random = randomNumbers(9)
    for (const name of ['first', 'second', 'third']) put(name, randomBytes(30_000, random))
    run('mdel', ['-i', image, '::/first'])
    run('mdel', ['-i', image, '::/third'])
    const large = randomBytes(90_000, random)
    put('large file with a long name', large)
    const drive = readBack(image)
    assert.deepEqual(drive.entries.map(({ path }) => path).sort(), ['large file with a long name', 'second'])
    assert.ok(Buffer.from(large).equals(drive.read('large file with a long name') ?? assert.fail()))
  })
})

function format(image: string, size: number): void {
  writeFileSync(image, '')
  truncateSync(image, size)
  run('mkfs.vfat', ['-n', 'config-2', '-i', '12345678', image])
}

describe('a VFAT image of ours is divided as mkfs.vfat divides it', () => {
  const LABEL_OFFSET = { 16: 0x3e, 32: 0x5a } // behind it is the program that nobody runs
  const SIZES = [
    ...[65_536, 1_048_064, 2_097_152, 2_097_664, 4_194_304, 4_300_800, 8_355_840, 8_400_896, 16 * MEBIBYTE],
    ...[16_777_728, 33_554_944, 64 * MEBIBYTE, 134_217_728, 134_218_240, 200_000_000, 268_435_968, 528_482_816],
    ...[536_870_400, 536_870_912, 600 * MEBIBYTE, 2048 * MEBIBYTE],
  ]
  for (const sizeBytes of SIZES) {
    it(`${sizeBytes} bytes`, () => {
      const image = join(folder, 'size.img')
      format(image, sizeBytes)
      const first = [
        ...vfatImage([], { label: 'config-2', sizeBytes, timestamp: TIMESTAMP, serial: 0x1234_5678 }).chunks,
      ][0]
      assert.ok(first !== undefined && !('hole' in first))
      const theirs = Buffer.from(run('od', ['-An', '-v', '-tx1', '-N512', image]).replace(/\s/g, ''), 'hex')
      const length = theirs.readUInt16LE(22) === 0 ? LABEL_OFFSET[32] : LABEL_OFFSET[16]
      assert.equal(Buffer.from(first.subarray(0, length)).toString('hex'), theirs.toString('hex', 0, length))
      rmSync(image)
    })
  }
})

describe('a file that is no drive', () => {
  const cases = [
    { name: 'is empty', bytes: Buffer.alloc(0), says: /it is empty/ },
    { name: 'is short', bytes: Buffer.from('hello'), says: /5 bytes, and neither a volume descriptor/ },
    { name: 'holds zeros', bytes: Buffer.alloc(100_000), says: /begins with zeros/ },
    { name: 'is a qcow2 image', bytes: Buffer.from('QFI\xfb0000', 'latin1'), says: /qemu-img convert/ },
    { name: 'is gzip data', bytes: Buffer.from([0x1f, 0x8b, 8, 0]), says: /unpack it first/ },
  ]
  for (const { name, bytes, says } of cases) {
    it(`${name}: the message says so`, () =>
      assert.throws(
        () => readImage(bytesSource(bytes)),
        (cause) => cause instanceof DriveProblem && says.test(cause.message),
      ))
  }

  it('was an ISO image before it was cut off', () => {
    const [tree, image] = [join(folder, 'cut tree'), join(folder, 'cut.iso')]
    writeTree(tree, DRIVE)
    run('genisoimage', ['-quiet', ...CHARSET, '-r', '-no-pad', '-o', image, tree])
    truncateSync(image, fileSource(image).size - 2048)
    assert.throws(() => readBack(image), /should have \d+ bytes, but the image ends at \d+ \(at byte \d+\)/)
  })

  it('was a VFAT image before it was cut off', () => {
    const image = vfatImage(DRIVE, { label: 'config-2', sizeBytes: 4 * MEBIBYTE, timestamp: TIMESTAMP, serial: 1 })
    const cut = imageBytes(image).subarray(0, 60_000)
    assert.throws(
      () => readImage(bytesSource(cut)),
      /"openstack\/content\/0000" should have 100000 bytes, but the image ends/,
    )
  })
})
