import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { firstboot } from './support/daemon.ts'
import { drive, execute, file, folder, ID, inventory, removeFolder, SERVER } from './support/drive-commands.ts'

/** Config drives as an operator builds and reads them. */
after(removeFolder)

describe('a drive without an inventory', () => {
  const iso = join(folder, 'drive.iso')
  const vfat = join(folder, 'drive.vfat')
  before(async () => {
    const built = await drive('build', '-f', SERVER, '-o', iso)
    assert.equal(built.code, 0, built.err)
    assert.match(built.out, /drive\.iso: \d+ files, \d+ bytes, iso9660, label config-2/)
    const other = await drive('build', '-f', SERVER, '-o', vfat, '--format', 'vfat', '--size', '8M')
    assert.equal(other.code, 0, other.err)
    assert.match(other.err, /afterburn mounts only ISO 9660/)
    assert.match(other.err, /live migration/)
  })

  it('is for its owner alone, and a VFAT one sparse', () => {
    assert.equal(statSync(iso).mode & 0o777, 0o600)
    assert.equal(statSync(vfat).size, 8 * 1024 * 1024)
    assert.ok(statSync(vfat).blocks * 512 < 2 * 1024 * 1024)
  })

  for (const [format, path] of [
    ['iso9660', iso],
    ['vfat', vfat],
  ] as const)
    it(`is read back byte for byte from ${format}`, async () => {
      const listed = JSON.parse((await drive('inspect', path, '--json')).out)
      assert.equal(listed.format, format)
      const paths = listed.entries.map((entry: { path: string }) => entry.path)
      assert.ok(paths.includes('openstack/content/0000'))
      const metaData = JSON.parse((await drive('cat', path, 'openstack/latest/meta_data.json')).out)
      assert.deepEqual(
        [metaData.uuid, metaData.admin_pass, metaData.files],
        [ID, 'Adm1n!', [{ path: '/etc/motd', content_path: '/content/0000' }]],
      )
      assert.equal((await drive('cat', path, '/openstack/content/0000')).out, 'hello\n')
      const missing = await drive('cat', path, 'openstack/latest/user-data')
      assert.equal(missing.code, 1)
      assert.match(missing.err, /did you mean "openstack\/latest\/user_data"\?/)
    })

  it('is the same again from the same seed at the same time', async () => {
    const again = [1, 2].map((n) => join(folder, `again-${n}.iso`))
    for (const path of again)
      await drive('build', '-f', SERVER, '-o', path, '--seed', 'x', '--timestamp', '1700000000', '--format', 'iso9660')
    const [one, two] = again.map((path) => readFileSync(path))
    assert.ok(one !== undefined && one.length > 0 && two?.equals(one))
  })

  for (const program of ['genisoimage', 'xorrisofs'])
    it(`holds the same when ${program} builds it`, async () => {
      const path = join(folder, `${program}.iso`)
      const { code, err } = await drive('build', '-f', SERVER, '-o', path, '--mkisofs-cmd', program)
      assert.equal(code, 0, err)
      assert.equal(statSync(path).mode & 0o777, 0o600)
      assert.equal((await drive('diff', path, 'web-1', '-f', SERVER)).code, 0)
    })

  it('says which program is missing', async () => {
    const path = join(folder, 'none.iso')
    const { code, err } = await drive('build', '-f', SERVER, '-o', path, '--mkisofs-cmd', '/nowhere/mkisofs')
    assert.equal(code, 1)
    assert.match(err, /building the drive with mkisofs_cmd: \/nowhere\/mkisofs cannot be started/)
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.startsWith('none')),
      [],
    )
  })

  it('can be for NoCloud', async () => {
    const seed = join(folder, 'seed.iso')
    assert.equal((await drive('build', '-f', SERVER, '-o', seed, '--format', 'nocloud')).code, 0)
    assert.equal(JSON.parse((await drive('inspect', seed, '--json')).out).label, 'cidata')
    const metaData = JSON.parse((await drive('cat', seed, 'meta-data')).out)
    assert.deepEqual([metaData['instance-id'], metaData['local-hostname']], [ID, 'web-1.novalocal'])
    const network = JSON.parse((await drive('cat', seed, 'network-config')).out)
    assert.deepEqual(network.ethernets.eth0.match, { macaddress: 'fa:16:3e:00:00:01' })
    assert.equal((await drive('diff', seed, 'web-1', '-f', SERVER)).code, 0)
  })

  it('differs from one of another record, member by member, passwords covered', async () => {
    const other = file('other.yaml', inventory({ metadata: { role: 'db' }, admin_pass: 'Other!' }))
    const { code, out } = await drive('diff', iso, 'web-1', '-f', other)
    assert.equal(code, 1)
    assert.match(out, /^~ openstack\/latest\/meta_data\.json meta\.role: "web" -> "db"$/m)
    assert.match(out, /admin_pass: "\*\*\*"/)
    assert.ok(!/Adm1n|Other/.test(out))
    assert.equal((await drive('diff', iso, 'web-1', '-f', SERVER)).code, 0)
  })
})

describe('a drive is refused, and nothing written,', () => {
  const cases: readonly { name: string; changes: object; args?: readonly string[]; want: RegExp }[] = [
    {
      name: 'with an injected file that climbs out',
      changes: { personality: [{ path: '/etc/../../x', contents: '' }] },
      want: /"\/etc\/\.\.\/\.\.\/x" climbs out of a folder/,
    },
    {
      name: 'with two injected files for one place',
      changes: {
        personality: [
          { path: '/etc/x', contents: 'a' },
          { path: '/etc//x', contents: 'b' },
        ],
      },
      want: /two injected files go to/,
    },
    {
      name: 'too large for its VFAT size',
      changes: { user_data: 'x'.repeat(40_000) },
      args: ['--format', 'vfat', '--size', '256K'],
      want: /the files take \d+ bytes .* 262144 bytes has room for/,
    },
    { name: 'of a size that is none', changes: {}, args: ['--size', 'big'], want: /"big" is no size/ },
    {
      name: 'in a format that is none',
      changes: {},
      args: ['--format', 'udf'],
      want: /none of iso9660, vfat, nocloud/,
    },
  ]
  for (const [index, { name, changes, args = [], want }] of cases.entries())
    it(name, async () => {
      const into = join(folder, `refused-${index}`)
      mkdirSync(into)
      const server = file(`refused-${index}.yaml`, inventory(changes))
      const { code, err } = await drive('build', '-f', server, '-o', join(into, 'drive'), ...args)
      assert.notEqual(code, 0)
      assert.match(err, want)
      assert.deepEqual(readdirSync(into), [])
    })

  it('into a folder that is not there', async () => {
    const { code, err } = await drive('build', '-f', SERVER, '-o', join(folder, 'no-such', 'drive.iso'))
    assert.equal(code, 2)
    assert.match(err, /--output: there is no folder \S+no-such; make it \(mkdir -p/)
  })

  it('when the disk is full; what was there stays', async () => {
    const into = join(folder, 'small')
    mkdirSync(into)
    const build = firstboot('config-drive', 'build', '-f', SERVER, '-o', join(into, 'drive.iso'))
    const script =
      'mount -t tmpfs -o size=64k tmpfs "$1" && echo old >"$1/drive.iso" || exit 99; shift; "$@"; echo "code $?"; head -c 9 "$0/drive.iso"; ls "$0"'
    const unshare = ['--user', '--map-root-user', '--mount', '--', 'sh', '-c', script, into, into, ...build]
    const { out, err } = await execute('unshare', unshare)
    assert.equal(out, 'code 1\nold\ndrive.iso\n', err)
    assert.match(err, /no space left on the device/)
  })
})

describe('an image that is none', () => {
  const whole = join(folder, 'whole.iso')
  const wholeVfat = join(folder, 'whole.vfat')
  before(async () => {
    await drive('build', '-f', SERVER, '-o', whole)
    await drive('build', '-f', SERVER, '-o', wholeVfat, '--format', 'vfat', '--size', '8M')
  })
  const cases: readonly { name: string; path: () => string; want: RegExp }[] = [
    { name: 'empty', path: () => file('empty', ''), want: /empty: .*it is empty/ },
    { name: 'foreign', path: () => file('foreign', 'x'.repeat(100_000)), want: /neither an ISO 9660 nor a FAT image/ },
    {
      name: 'truncated',
      path: () => {
        const path = file('truncated', readFileSync(whole))
        truncateSync(path, 40_000)
        return path
      },
      want: /truncated/,
    },
    {
      name: 'cut off in its tail, an ISO',
      path: () => file('tail.iso', readFileSync(whole).subarray(0, -2048)),
      want: /tail\.iso: the volume has \d+ bytes, but the image ends at \d+: it is truncated/,
    },
    {
      name: 'cut off in its tail, a FAT volume',
      path: () => file('tail.vfat', readFileSync(wholeVfat).subarray(0, -512)),
      want: /tail\.vfat: the volume has 8388608 bytes, but the image ends at 8388096: it is truncated/,
    },
    { name: 'missing', path: () => join(folder, 'missing'), want: /there is no file .*missing/ },
    { name: 'a folder', path: () => folder, want: /is not a regular file/ },
  ]
  for (const { name, path, want } of cases)
    it(`is told as such: ${name}`, async () => {
      const { code, out, err } = await drive('inspect', path())
      assert.deepEqual([code, out], [1, ''])
      assert.match(err, want)
      assert.doesNotMatch(err, /\n\s+at /)
    })
})
