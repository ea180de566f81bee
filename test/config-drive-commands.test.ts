import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { firstboot } from './support/daemon.ts'

/** Config drives as an operator builds, reads and verifies them. */
const folder = mkdtempSync(join(tmpdir(), 'firstboot-drive-'))
const state = join(folder, 'state')
after(() => rmSync(folder, { recursive: true, force: true }))

interface Outcome {
  readonly code: number
  readonly out: string
  readonly err: string
}

function execute(program: string, words: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(program, words, { env: { PATH: process.env['PATH'], ...env } }, (error, out, err) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1, out, err }),
    )
  })
}

function run(...args: readonly string[]): Promise<Outcome> {
  const [program, ...words] = firstboot(...args)
  return execute(program, words)
}

const drive = (...args: readonly string[]) => run('config-drive', ...args)
const kept = (...args: readonly string[]) => run(...args, '--state-dir', state)

const ID = '5b0c1f5e-8a39-4a3f-8d0e-6f1f0b1c2d3e'
const KEPT = join(state, 'machines', ID, 'disk.config')

/** Ids are given where they would be drawn, so that the file alone decides what is on the drive. */
function inventory(changes: object = {}): string {
  return JSON.stringify({
    projects: [{ id: '0123456789abcdef0123456789abcdef', name: 'p' }],
    networks: [{ id: '11111111-0000-4000-8000-000000000001', name: 'n', subnets: [{ cidr: '10.0.0.0/24' }] }],
    ports: [{ id: '22222222-0000-4000-8000-000000000001', network: 'n', mac_address: 'fa:16:3e:00:00:01' }],
    servers: [
      {
        id: ID,
        name: 'web-1',
        reservation_id: 'r-abcdefgh',
        networks: [{ port: '22222222-0000-4000-8000-000000000001' }],
        config_drive: true,
        admin_pass: 'Adm1n!',
        metadata: { role: 'web' },
        user_data: { base64: Buffer.from([0x1f, 0x8b, 0, 0xff]).toString('base64') },
        personality: [{ path: '/etc/motd', contents: 'hello\n' }],
        ...changes,
      },
    ],
  })
}

function file(name: string, text: string | Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

const SERVER = file('server.yaml', inventory())

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
  before(() => drive('build', '-f', SERVER, '-o', whole))
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
    { name: 'missing', path: () => join(folder, 'missing'), want: /missing/ },
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

describe('the drive of a server', () => {
  before(async () => {
    const { code, err } = await kept('apply', '-f', SERVER)
    assert.equal(code, 0, err)
  })

  it('is announced, built once, and then fresh', async () => {
    const show = async () => (await kept('show', 'server', 'web-1')).out
    assert.match(await show(), /^drive +needed: the server asks for one; not built yet$/m)
    const built = await kept('config-drive', 'build', 'web-1')
    assert.equal(built.code, 0, built.err)
    assert.match(await show(), /fresh: says what HTTP says/)
    const again = await kept('config-drive', 'build', 'web-1')
    assert.equal(again.code, 1)
    assert.match(again.err, /has a drive already/)
    const verified = await kept('config-drive', 'verify', 'web-1')
    assert.equal(verified.code, 0, verified.out + verified.err)
  })

  it('becomes stale with its record, and says why, until it is rebuilt', async () => {
    const changed = file(
      'changed.yaml',
      inventory({ metadata: { role: 'db' }, user_data: '#!/bin/sh\n', personality: [] }),
    )
    await kept('apply', '-f', changed)
    const { code, out } = await kept('config-drive', 'verify', 'web-1', '--json')
    assert.equal(code, 1)
    const documents: { path: string; state: string; against: string; why: string[] }[] = JSON.parse(out).documents
    const of = (path: string) => documents.find((each) => each.path === path)
    assert.deepEqual(of('openstack/latest/user_data')?.why, ['its user data changed'])
    assert.deepEqual(of('openstack/latest/meta_data.json')?.why.toSorted(), [
      'its injected files changed (files[0].path, files[0].content_path)',
      'its properties (metadata) changed (meta.role)',
    ])
    assert.deepEqual(
      [of('openstack/content/0000')?.state, of('openstack/content/0000')?.against],
      ['surplus', 'record'],
    )
    assert.equal(of('openstack/latest/network_data.json')?.state, 'same')
    assert.match((await kept('show', 'server', 'web-1')).out, /STALE: .*its user data changed/)
    const rebuilt = await kept('config-drive', 'verify', 'web-1', '--rebuild')
    assert.equal(rebuilt.code, 0, rebuilt.err)
    assert.match(rebuilt.err, /reads the new drive when it is started/)
    assert.equal((await kept('config-drive', 'verify', 'web-1')).code, 0)
  })

  it('that is damaged is stale as a whole', async () => {
    truncateSync(KEPT, 100)
    const shown = await kept('show', 'server', 'web-1')
    assert.equal(shown.code, 0, shown.err)
    assert.match(shown.out, /STALE/)
  })
})

describe('firstboot show of a machine to be run elsewhere', () => {
  before(() => kept('apply', '-f', file('plain.yaml', inventory({ name: "O'Neil <&> 1" }))))

  it('prints the QEMU command line', async () => {
    const { code, out } = await kept('show', ID, '--qemu')
    assert.equal(code, 0)
    assert.match(out, /^qemu-system-x86_64 \\\n/)
    assert.match(out, /product=OpenStack Nova,.*uuid=5b0c1f5e/)
    assert.match(out, /virtio-net-pci,netdev=net0,mac=fa:16:3e:00:00:01/)
  })

  it('prints a libvirt domain, whatever the server is called', async () => {
    const { out } = await kept('show', 'server', ID, '--libvirt-xml')
    assert.match(out, /<nova:name>O&apos;Neil &lt;&amp;&gt; 1<\/nova:name>/)
    assert.match(out, /<entry name="product">OpenStack Nova<\/entry>/)
    assert.match(out, /<mac address="fa:16:3e:00:00:01"\/>/)
  })

  it('has no console of what somebody else runs', async () => {
    const { code, err } = await kept('console', ID)
    assert.equal(code, 2)
    assert.match(err, /somebody else/)
  })
})
