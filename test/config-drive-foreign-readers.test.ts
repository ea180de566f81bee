import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { DriveFile } from '../src/config-drive/image.ts'
import { assertSameFiles, KINDS, writeImage } from './support/drives.ts'
import { bytesOf, ISO_UNPACKERS, readTree, run, VFAT_UNPACKERS } from './support/foreign-readers.ts'
import { randomBytes, randomNumbers, randomTree } from './support/random-trees.ts'

// What we write, as the programs of others read it: they have the last word on whether it is an image.

const random = randomNumbers(5)
const file = (path: string, content = path): DriveFile => ({ path, content: Buffer.from(content) })

const TREES: readonly { readonly name: string; readonly files: readonly DriveFile[] }[] = [
  { name: 'no file at all', files: [] },
  {
    name: 'hard names',
    files: [
      file('n'.repeat(255)),
      file(`${'ö'.repeat(125)}.json`),
      file(`${'f'.repeat(200)}/${'g'.repeat(251)}.txt`),
      ...[
        '.hidden',
        'two  spaces',
        ' leading',
        'a.b.c.d',
        'no-dash_',
        'UPPER.TXT',
        'lower.txt',
        'Mixed.Txt',
        'a;b+c=d',
      ].map((name) => file(name)),
      file('config~1'),
      file('configuration of everything'),
    ],
  },
  { name: 'folders 40 deep', files: [file(`${'d/'.repeat(40)}file`), file(`${'folder/'.repeat(9)}file`)] },
  {
    name: 'large and empty files',
    files: [
      { path: 'large', content: randomBytes(2_500_001, random) },
      { path: 'empty', content: new Uint8Array() },
      { path: 'after', content: randomBytes(3, random) },
    ],
  },
  {
    name: 'many files of one folder',
    files: Array.from({ length: 1200 }, (_, index) => file(`openstack/content/a file with number ${index}`)),
  },
  ...[1, 2, 3, 4].map((seed) => ({ name: `random tree ${seed}`, files: randomTree(seed) })),
]

let folder: string
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'firstboot-drive-'))
})
after(() => rmSync(folder, { recursive: true, force: true }))

function unpacked(unpack: (image: string, into: string) => void, image: string): ReadonlyMap<string, Buffer> {
  const into = mkdtempSync(join(folder, 'out-'))
  unpack(image, into)
  const tree = readTree(into)
  rmSync(into, { recursive: true })
  return tree
}

for (const { name: kind, format, make } of KINDS) {
  describe(`${kind}, read by others`, () => {
    for (const { name, files } of TREES) {
      it(name, () => {
        const image = join(folder, `${kind} ${name}.img`)
        writeImage(image, make(files))
        for (const { name: program, unpack } of format === 'iso9660' ? ISO_UNPACKERS : VFAT_UNPACKERS) {
          if (program === 'bsdtar, of Joliet' && name === 'hard names') continue // it has other names for these
          assertSameFiles(unpacked(unpack, image), files)
        }
        if (format === 'vfat') assertClean(image)
        rmSync(image)
      })
    }

    for (const label of ['config-2', 'cidata']) {
      it(`has the label ${label}`, () => {
        const image = join(folder, `${kind} ${label}.img`)
        writeImage(image, make([file('meta-data')], label))
        const said = run('blkid', ['-p', '-o', 'export', image])
        assert.match(said, new RegExp(`^LABEL=${label}$`, 'm'))
        assert.match(said, new RegExp(`^TYPE=${format}$`, 'm'))
        if (format === 'vfat')
          assert.match(run('mlabel', ['-s', '-i', image, '::']), new RegExp(` is ${label} *$`, 'm'))
      })
    }
  })
}

/** fsck.vfat names itself, then counts; whatever else it says is a complaint. */
function assertClean(image: string): void {
  const said = run('fsck.vfat', ['-n', image]).trimEnd().split('\n')
  assert.match(said[0] ?? '', /^fsck\.fat /)
  assert.match(said[1] ?? '', /: \d+ files, \d+\/\d+ clusters$/)
  assert.equal(said.length, 2, said.join('\n'))
}

describe('an ISO image as isoinfo and xorriso see it', () => {
  const files = [
    file('openstack/2012-08-10/meta_data.json', '{}'),
    file('openstack/latest/user_data', 'x'),
    file('a-b'),
  ]
  let image: string
  before(() => {
    image = join(folder, 'seen.iso')
    writeImage(image, KINDS[0]?.make(files) ?? assert.fail())
  })

  it('has the header that Nova gives it', () => {
    const header = run('isoinfo', ['-d', '-i', image])
    for (const line of [
      'System id: LINUX',
      'Volume id: config-2',
      'Publisher id: OpenStack Nova 26.2.2',
      'Logical block size is: 2048',
      'Joliet with UCS level 3 found',
      'Rock Ridge signatures version 1 found',
    ]) {
      assert.ok(header.includes(line), `${line}\nis not in\n${header}`)
    }
  })

  const TREES_OF_IT = [
    { name: 'Rock Ridge', options: ['-R'], wanted: '/openstack/2012-08-10/meta_data.json' },
    { name: 'Joliet', options: ['-J'], wanted: '/openstack/2012-08-10/meta_data.json' },
    { name: 'the primary tree', options: [], wanted: '/openstack/2012_08_10/meta_data.json;1' },
  ]
  for (const { name, options, wanted } of TREES_OF_IT) {
    it(`has the names of genisoimage in ${name}, and the contents under them`, () => {
      assert.ok(
        run('isoinfo', [...options, '-f', '-i', image])
          .split('\n')
          .includes(wanted),
      )
      assert.equal(`${bytesOf('isoinfo', [...options, '-i', image, '-x', wanted])}`, '{}')
    })
  }

  it('belongs to root and cannot be written', () => {
    const listed = run('isoinfo', ['-R', '-l', '-i', image])
    assert.match(listed, /^-r--r--r-- {3}1 {4}0 {4}0 .* a-b $/m)
    assert.match(listed, /^dr-xr-xr-x {3}4 {4}0 {4}0 .* openstack $/m)
    assert.match(listed, /Feb 28 2026/)
  })

  it('has no block that cannot be read', () => {
    const said = run('xorriso', ['-indev', image, '-check_media', '--'])
    assert.match(said, /^Media region : +0 , +\d+ , \+ good/m)
    assert.doesNotMatch(said, /WARNING|SORRY|FAILURE/)
  })

  it('is what xorriso would add to without a complaint', () => {
    const added = join(folder, 'added.iso')
    mkdirSync(join(folder, 'more'))
    const said = run('xorriso', ['-indev', image, '-outdev', added, '-map', join(folder, 'more'), '/more', '-commit'])
    assert.doesNotMatch(said, /WARNING|SORRY|FAILURE/)
  })
})

it('holds 10,000 files on one ISO image', () => {
  const files = Array.from({ length: 10_000 }, (_, index) => file(`openstack/folder ${index % 7}/a long name ${index}`))
  const image = join(folder, 'many.iso')
  writeImage(image, KINDS[0]?.make(files) ?? assert.fail())
  assert.equal(
    run('bsdtar', ['-tf', image])
      .split('\n')
      .filter((path) => path.includes('a long name')).length,
    10_000,
  )
  const last = files.at(-1) ?? assert.fail()
  assert.equal(`${bytesOf('bsdtar', ['-xOf', image, last.path])}`, last.path)
})
