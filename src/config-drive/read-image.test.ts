import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DriveProblem } from './image.ts'
import { bytesSource, imageBytes } from './image-source.ts'
import { isoImage } from './iso9660/write.ts'
import { readImage } from './read-image.ts'
import { geometryOf, regionsOf } from './vfat/geometry.ts'
import { vfatImage } from './vfat/write.ts'

const timestamp = new Date('2026-02-28T23:59:58Z')
const SIZE = 2 ** 20
const FILES = ['outer/inner/data', 'outer/other', 'zero'].map((path) => ({
  path,
  content: Buffer.alloc(path === 'zero' ? 0 : 10_000, path),
}))

const iso = () => imageBytes(isoImage(FILES, { label: 'config-2', publisher: 'P', timestamp }))
const vfat = () => imageBytes(vfatImage(FILES, { label: 'config-2', sizeBytes: SIZE, timestamp, serial: 7 }))

/** So far before a record's identifier is the number of its block. */
const EXTENT_BEFORE = 33 - 2
/** So far behind the start of an entry are the number of its cluster, and its size. */
const CLUSTER_BEHIND = 26
const SIZE_BEHIND = 28

const { fat } = regionsOf(geometryOf(SIZE))

const clusterAt = (image: Buffer, alias: string) => image.indexOf(alias.padEnd(11)) + CLUSTER_BEHIND

describe('an image that lies', () => {
  const CASES: readonly { name: string; image: () => Buffer; lie: (image: Buffer) => void; says: RegExp }[] = [
    {
      name: 'has a directory in itself (ISO)',
      image: iso,
      lie: (image) => image.writeUInt32LE(rootBlock(image), recordOf(image, 'inner')),
      says: /"\/" and "\/outer\/inner" are one directory: it would never end \(at byte \d+\)/,
    },
    {
      name: 'has a directory larger than itself (ISO)',
      image: iso,
      lie: (image) => image.writeUInt32LE(2 ** 31, recordOf(image, 'inner') + 8),
      says: /the directories together have more than \d+ bytes/,
    },
    {
      name: 'has a file beyond its end (ISO)',
      image: iso,
      lie: (image) => image.writeUInt32LE(100_000, recordOf(image, 'other.;1')),
      says: /"outer\/other" should have 10000 bytes, but the image ends at \d+ \(at byte 204800000\)/,
    },
    {
      name: 'has a name that leads elsewhere (ISO)',
      image: iso,
      lie: (image) => image.write('../er', image.indexOf('NM\x0a\x01\0other') + 5),
      says: /a name is "..\/er", which is none/,
    },
    {
      name: 'has no end of descriptors (ISO)',
      image: iso,
      lie: (image) => image.fill(0, 18 * 2048, 19 * 2048),
      says: /the volume descriptors have no end/,
    },
    {
      name: 'has a folder in itself (FAT)',
      image: vfat,
      lie: (image) => image.writeUInt16LE(image.readUInt16LE(clusterAt(image, 'OUTER')), clusterAt(image, 'INNER')),
      says: /the folder "outer\/inner" comes to cluster 2, which is taken already \(at byte \d+\)/,
    },
    {
      name: 'has a chain that goes round (FAT)',
      image: vfat,
      lie: (image) => {
        const first = image.readUInt16LE(clusterAt(image, 'DATA'))
        setNext(image, first + 1, first)
      },
      says: /"outer\/inner\/data" comes to cluster \d+, which is taken already/,
    },
    {
      name: 'has a chain that ends too soon (FAT)',
      image: vfat,
      lie: (image) => setNext(image, image.readUInt16LE(clusterAt(image, 'DATA')), 0xfff),
      says: /"outer\/inner\/data" should have 10000 bytes, but its clusters hold 2048/,
    },
    {
      name: 'has a chain that leaves it (FAT)',
      image: vfat,
      lie: (image) => setNext(image, image.readUInt16LE(clusterAt(image, 'DATA')), 0xf00),
      says: /"outer\/inner\/data" is said to be in cluster 3840, of 502/,
    },
    {
      name: 'has a file larger than itself (FAT)',
      image: vfat,
      lie: (image) => image.writeUInt32LE(2 ** 31, clusterAt(image, 'OTHER') - CLUSTER_BEHIND + SIZE_BEHIND),
      says: /"outer\/other" should have 2147483648 bytes/,
    },
    {
      name: 'has clusters of three sectors (FAT)',
      image: vfat,
      lie: (image) => image.writeUInt8(3, 13),
      says: /the boot sector tells of clusters of 3 sectors \(at byte 13\)/,
    },
    {
      name: 'has no room beside its tables (FAT)',
      image: vfat,
      lie: (image) => image.writeUInt16LE(10, 19),
      says: /10 sectors, which its own tables fill/,
    },
  ]
  for (const { name, image, lie, says } of CASES) {
    it(name, () => {
      const bytes = image()
      readImage(bytesSource(bytes))
      lie(bytes)
      assert.throws(
        () => readImage(bytesSource(bytes)),
        (cause) => cause instanceof DriveProblem && says.test(cause.message),
      )
    })
  }
})

function rootBlock(image: Buffer): number {
  return image.readUInt32LE(16 * 2048 + 156 + 2)
}

/** Where the block's number is of the record with this name in the primary tree: path tables have no length before it. */
function recordOf(image: Buffer, identifier: string): number {
  let found = image.indexOf(identifier, 19 * 2048)
  while (found >= 0 && image[found - 1] !== identifier.length) found = image.indexOf(identifier, found + 1)
  return found - EXTENT_BEFORE
}

/** In the first table, of 12 bits an entry. */
function setNext(image: Buffer, cluster: number, next: number): void {
  const at = fat + cluster + (cluster >> 1)
  const shift = (cluster & 1) * 4
  image.writeUInt16LE((image.readUInt16LE(at) & ~(0xfff << shift)) | (next << shift), at)
}
