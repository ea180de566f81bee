import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DriveProblem } from '../src/config-drive/image.ts'
import { bytesSource, imageBytes } from '../src/config-drive/image-source.ts'
import { readImage } from '../src/config-drive/read-image.ts'
import { vfatImage } from '../src/config-drive/vfat/write.ts'
import { KINDS, TIMESTAMP } from './support/drives.ts'
import { randomNumbers } from './support/random-trees.ts'

// Images that somebody has tampered with: a reader may refuse them, in its own words, and soon.

const FILES = [
  ...Array.from({ length: 40 }, (_, index) => `openstack/latest/a file with number ${index}`),
  ...['a/b/c/d/e/f/g/h/i/j', 'ec2/latest/meta-data.json', `${'n'.repeat(250)}`, 'empty'],
].map((path) => ({ path, content: Buffer.from(path === 'empty' ? '' : path.repeat(30)) }))

const vfat = (sizeBytes: number) =>
  vfatImage(FILES, { label: 'config-2', sizeBytes, timestamp: TIMESTAMP, serial: 0x1234_5678 })

/** Where the structure is, in bytes: tampering with contents is of no interest. */
const IMAGES = [
  { name: 'ISO 9660', image: imageBytes(KINDS[0]?.make(FILES) ?? assert.fail()), structure: [32_768, 90_000] },
  { name: 'Joliet', image: withoutRockRidge(), structure: [32_768, 90_000] },
  { name: 'FAT12', image: imageBytes(vfat(256 * 1024)), structure: [0, 50_000] },
  { name: 'FAT16', image: imageBytes(vfat(9 * 2 ** 20)), structure: [0, 90_000] },
] as const

function withoutRockRidge(): Buffer {
  const image = imageBytes(KINDS[0]?.make(FILES) ?? assert.fail())
  const marker = image.indexOf('SP\x07\x01')
  image.write('XX', marker)
  return image
}

const VALUES = [0, 1, 2, 0x7f, 0x80, 0xff]

/** Changes a few bytes, copies one place over another, or cuts the end off. */
function tamper(image: Buffer, [start, end]: readonly [number, number], seed: number): Buffer {
  const random = randomNumbers(seed)
  const below = (limit: number) => Math.floor(random() * limit)
  const place = () => Math.min(start + below(end - start), image.length - 64)
  const changed = Buffer.from(image)
  for (let times = 1 + below(8); times > 0; times -= 1) {
    const at = place()
    const way = below(4)
    if (way === 0) changed[at] = VALUES[below(VALUES.length)] ?? 0
    else if (way === 1) changed[at] = below(256)
    else if (way === 2) changed.writeUInt32LE(random() < 0.5 ? below(600) : below(2 ** 32), at)
    else changed.copy(changed, at, place(), place() + 32)
  }
  return below(10) === 0 ? changed.subarray(0, below(changed.length)) : changed
}

/** Seeds that were once trouble stay here. */
const FOUND: readonly number[] = [4966]
const SEEDS = Array.from({ length: Number(process.env['FIRSTBOOT_FUZZ_SEEDS'] ?? 800) }, (_, index) => index)
const FIRST_SEED = Number(process.env['FIRSTBOOT_FUZZ_FIRST'] ?? 0)

describe('a reader of images that were tampered with', () => {
  for (const { name, image, structure } of IMAGES) {
    it(`either reads ${name} or says what is wrong`, () => {
      let refused = 0
      for (const seed of [...FOUND, ...SEEDS.map((index) => FIRST_SEED + index)]) {
        const start = performance.now()
        try {
          const drive = readImage(bytesSource(tamper(image, structure, seed)))
          for (const { path, size } of drive.entries) assert.ok((drive.read(path)?.length ?? size) === size, path)
        } catch (cause) {
          assert.ok(cause instanceof DriveProblem, `seed ${seed}: ${cause instanceof Error ? cause.stack : cause}`)
          refused += 1
        }
        assert.ok(performance.now() - start < 5000, `seed ${seed} took too long`)
      }
      assert.ok(refused > 0 && refused < SEEDS.length, 'all were refused, or none')
    })
  }
})
