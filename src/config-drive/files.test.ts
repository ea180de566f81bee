import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { growTree } from './files.ts'
import { type DriveFile, DriveProblem } from './image.ts'
import { imageBytes } from './image-source.ts'
import { type IsoOptions, isoImage } from './iso9660/write.ts'
import { type VfatOptions, vfatImage } from './vfat/write.ts'

const timestamp = new Date('2026-02-28T23:59:58Z')
const ISO: IsoOptions = { label: 'config-2', publisher: 'P', timestamp }
const VFAT: VfatOptions = { label: 'config-2', sizeBytes: 2 ** 20, timestamp, serial: 1 }
const files = (...paths: string[]): readonly DriveFile[] => paths.map((path) => ({ path, content: Buffer.from(path) }))

const isProblem = (says: RegExp) => (cause: unknown) => cause instanceof DriveProblem && says.test(cause.message)

describe('files that cannot be on any drive', () => {
  const cases = [
    { name: 'a path that leaves the drive', paths: ['openstack/../../etc/passwd'], says: /"\.\." would lead out/ },
    { name: 'an absolute path', paths: ['/etc/passwd'], says: /paths start without a slash/ },
    { name: 'a folder as a file', paths: ['openstack/'], says: /a name in it is empty/ },
    { name: 'an empty path', paths: [''], says: /a name in it is empty/ },
    { name: 'a zero byte', paths: ['a\0b'], says: /"a\\u0000b" .*zero byte/ },
    { name: 'half a character', paths: ['a\ud800'], says: /no Unicode text/ },
    { name: 'a name of 256 bytes', paths: [`${'ü'.repeat(128)}`], says: /256 bytes long, of at most 255/ },
    { name: 'a path of 4 KiB', paths: [`${'d/'.repeat(2100)}f`], says: /4201 bytes long, of at most 4095/ },
    { name: 'one path twice', paths: ['a/b', 'a/b'], says: /"a\/b" is there twice/ },
    { name: 'a file, then a folder', paths: ['a', 'a/b'], says: /"a\/b" needs the folder "a", which is a file/ },
    { name: 'a folder, then a file', paths: ['a/b', 'a'], says: /"a" is a file, and a folder/ },
  ]
  for (const { name, paths, says } of cases) {
    it(name, () => {
      assert.throws(() => isoImage(files(...paths), ISO), isProblem(says))
      assert.throws(() => vfatImage(files(...paths), VFAT), isProblem(says))
    })
  }
})

describe('files that cannot be on a VFAT drive', () => {
  const many = Array.from({ length: 500 }, (_, index) => `file number ${index}`)
  const cases = [
    {
      name: 'names that differ in case',
      paths: ['a/Readme', 'a/README'],
      says: /"a\/README" and "a\/Readme" cannot both/,
    },
    { name: 'the same beyond ASCII', paths: ['ÜBER', 'über'], says: /cannot both be on a VFAT drive/ },
    { name: 'a colon', paths: ['a/b:c'], says: /"a\/b:c" .*no ":" in names/ },
    { name: 'a line feed', paths: ['a\nb'], says: /no "\\n" in names/ },
    { name: 'a dot at the end', paths: ['a.'], says: /"a\." .*drops dots/ },
    { name: 'a full root', paths: many, says: /the root needs 1491 directory entries of at most 512/ },
  ]
  for (const { name, paths, says } of cases) {
    it(name, () => {
      assert.throws(() => vfatImage(files(...paths), VFAT), isProblem(says))
      isoImage(files(...paths), ISO)
    })
  }

  it('more bytes than it has: the message counts both', () => {
    const content = new Uint8Array(2_000_000)
    const says = /the files take 2000896 bytes \(clusters of 2048\), and a drive of 1048576 bytes has room for \d+/
    assert.throws(() => vfatImage([{ path: 'a', content }], VFAT), isProblem(says))
  })

  it('are as many as there is room for, to the last cluster', () => {
    const clusters = 502 // what mkfs.vfat makes of a MiB
    const room = (count: number) => [{ path: 'a', content: new Uint8Array(count * 2048) }]
    assert.equal(imageBytes(vfatImage(room(clusters), VFAT)).length, VFAT.sizeBytes)
    assert.throws(() => vfatImage(room(clusters + 1), VFAT), isProblem(/has room for 1028096/))
  })
})

describe('options that no drive can have', () => {
  const none = files()
  const cases = [
    {
      name: 'a label too long for Joliet',
      make: () => isoImage(none, { ...ISO, label: 'x'.repeat(17) }),
      says: /room for 16/,
    },
    {
      name: 'a label too long for FAT',
      make: () => vfatImage(none, { ...VFAT, label: 'x'.repeat(12) }),
      says: /room for 11/,
    },
    { name: 'a label beyond ASCII', make: () => isoImage(none, { ...ISO, label: 'ü' }), says: /not ASCII/ },
    { name: 'no label', make: () => vfatImage(none, { ...VFAT, label: '' }), says: /label is empty/ },
    {
      name: 'a time before FAT',
      make: () => isoImage(none, { ...ISO, timestamp: new Date(0) }),
      says: /1970-.*1980 to 2107/,
    },
    { name: 'no time', make: () => vfatImage(none, { ...VFAT, timestamp: new Date('x') }), says: /is no time/ },
    {
      name: 'half a sector',
      make: () => vfatImage(none, { ...VFAT, sizeBytes: 100_100 }),
      says: /not a multiple of 512/,
    },
    { name: 'a size below FAT', make: () => vfatImage(none, { ...VFAT, sizeBytes: 1024 }), says: /has 65536 to/ },
    { name: 'a serial of 33 bits', make: () => vfatImage(none, { ...VFAT, serial: 2 ** 32 }), says: /none of 32 bits/ },
  ]
  for (const { name, make, says } of cases) it(name, () => assert.throws(make, isProblem(says)))
})

describe('an image', () => {
  const some = files('openstack/latest/meta_data.json', 'ec2/latest/meta-data.json', 'b', 'a name that is long')
  const kinds = [
    {
      name: 'ISO 9660',
      make: (given: readonly DriveFile[], time = timestamp) => isoImage(given, { ...ISO, timestamp: time }),
    },
    {
      name: 'VFAT',
      make: (given: readonly DriveFile[], time = timestamp) => vfatImage(given, { ...VFAT, timestamp: time }),
    },
  ]
  for (const { name, make } of kinds) {
    it(`${name} is the same for the same files, in whatever order they come`, () => {
      const image = make(some)
      assert.ok(imageBytes(image).equals(imageBytes(image)))
      assert.ok(imageBytes(image).equals(imageBytes(make(some.toReversed()))))
    })

    it(`${name} tells its timestamp`, () =>
      assert.ok(!imageBytes(make(some)).equals(imageBytes(make(some, new Date('2027-01-01T00:00:00Z'))))))

    it(`${name} has the size that it says before it is written`, () => {
      const image = make(some)
      let size = 0
      for (const chunk of image.chunks) size += 'hole' in chunk ? chunk.hole : chunk.length
      assert.equal(size, image.size)
    })
  }
})

it('a tree is in the order of its names', () => {
  const tree = growTree(files('b/z', 'b/a', 'a/x', 'c', 'B'))
  assert.deepEqual(
    [...tree.folders, ...tree.files].map(({ name }) => name),
    ['a', 'b', 'B', 'c'],
  )
})
