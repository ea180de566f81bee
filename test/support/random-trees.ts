import type { DriveFile } from '../../src/config-drive/image.ts'

/** Numbers from 0 up to 1 that are the same for the same seed: mulberry32. */
export function randomNumbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** What names are made of: what drives have, and what is hard for one format or the other. */
const PIECES = [
  ...['openstack', 'latest', 'meta_data', 'user-data', '2018-08-27', 'A', 'b', 'Mixed', '0000', 'config~1', 'ec2'],
  ...[' ', '  inside', '.', '..x', '.json', '.tar.gz', '-', '+,=[]', "'", '~', '#{}', '%20', 'ünï', '日本語', 'ß', 'Ω'],
  ...['a'.repeat(40), 'long '.repeat(9)],
]

const SIZES = [0, 1, 511, 512, 2047, 2048, 2049, 4096, 10_000]

/** Files that both formats can hold: no two names of a folder differ in case only. The same for the same seed. */
export function randomTree(seed: number): readonly DriveFile[] {
  const random = randomNumbers(seed)
  const below = (limit: number) => Math.floor(random() * limit)
  const folders = ['']
  const names = new Set<string>()
  const fresh = (folder: string): string => {
    for (;;) {
      const pieces = Array.from({ length: 1 + below(4) }, () => PIECES[below(PIECES.length)])
      const name = `${pieces.join('')}${below(3) === 0 ? below(1000) : ''}`.slice(0, 60).replace(/[. ]+$/, '_')
      const path = `${folder}${name}`
      if (names.has(path.toLowerCase())) continue
      names.add(path.toLowerCase())
      return path
    }
  }
  for (let count = below(12); count > 0; count -= 1) {
    const within = folders[below(folders.length)] ?? ''
    if (within.split('/').length < 12) folders.push(`${fresh(within)}/`)
  }
  return Array.from({ length: 1 + below(60) }, () => {
    const size = (SIZES[below(SIZES.length)] ?? 0) + below(2) * below(3000)
    return { path: fresh(folders[below(folders.length)] ?? ''), content: randomBytes(size, random) }
  })
}

export function randomBytes(size: number, random: () => number): Uint8Array {
  return Uint8Array.from({ length: size }, () => random() * 256)
}
