import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { mayBeAnyone } from '../bootstrap/privilege.js'
import { hasProgram } from '../bootstrap/programs.js'
import { buildDebianPackage } from '../packaging/debian/build.js'
import { isPacked, productionModules } from '../packaging/debian/modules.js'
import { type Daemon, startService } from './support/daemon.ts'
import { eventually } from './support/eventually.ts'
import { openPackagedRoot, type PackagedRoot, readUnit, serviceCommand } from './support/packaged-root.ts'
import { openTestMachine, type TestMachine } from './support/test-machine.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const FOR_DEVELOPERS = /(^|[/.])(tests?|bench|benchmarks?|fixtures|specs?)[/.]|\.(ts|map)$/
const UNITS = globSync('packaging/systemd/*.{service,socket}', { cwd: ROOT }).map((path) => join(ROOT, path))
const unit = (name: string) => readUnit(join(ROOT, `packaging/systemd/firstboot-${name}`))

const SOCKET = unit('metadata-agent.socket').get('ListenStream')?.[0] ?? ''
const META_DATA = 'http://169.254.169.254/openstack/latest/meta_data.json'
const CURL = ['curl', '--silent', '--show-error', '--fail', '--max-time', '5']
const GUEST = 'operators-guest'
const SECRET = '/var/lib/firstboot/metadata_proxy_shared_secret'
const CONFIGURATION = ['dhcp-agent', 'metadata-agent', 'metadata-api', 'ovn-metadata-agent']
  .map((name) => `/etc/firstboot/${name}.ini`)
  .concat('/etc/firstboot/up.env')
const NETWORK = '0d1c1f5e-8a39-4a3f-8d0e-6f1f0b1c2d3e'
const MAC = 'fa:16:3e:00:00:10'
const INVENTORY = `
networks:
  - id: ${NETWORK}
    name: office
    subnets: [{ name: office, cidr: 192.168.50.0/24 }]
servers:
  - name: web-1
    networks: [{ network: office, fixed_ip: 192.168.50.10, mac_address: '${MAC}' }]
`

/** Folders of Debian's that may get files of ours. */
const PLACES = [
  /^etc\/firstboot\//,
  /^lib\/systemd\/system\/firstboot-[^/]+\.(service|socket)$/,
  /^usr\/bin\/firstboot$/,
  /^usr\/lib\/firstboot\/(bin|dist|examples|node_modules)\//,
  /^usr\/lib\/firstboot\/(node|package\.json)$/,
  /^usr\/lib\/(sysusers|tmpfiles)\.d\/firstboot\.conf$/,
  /^usr\/share\/doc\/firstboot\//,
  /^usr\/share\/firstboot\/grafana\//,
  /^usr\/share\/(lintian\/overrides\/firstboot|man\/man1\/firstboot\.1\.gz)$/,
]

describe('what of an npm package is packed', () => {
  const lock = {
    packages: { '': {}, 'node_modules/a': { version: '1' }, 'node_modules/b': { version: '2', dev: true } },
  }

  it('is packages that run, not those for development', () =>
    assert.deepEqual(productionModules(lock, lock), ['node_modules/a']))

  it('is refused when another version is installed', () =>
    assert.throws(() => productionModules(lock, { packages: { 'node_modules/a': { version: '0' } } }), /npm ci/))

  it('leaves out a package for another platform', () => {
    const other = { packages: { 'node_modules/c': { version: '1', optional: true } } }
    assert.deepEqual(productionModules(other, { packages: {} }), [])
  })

  for (const [path, expected] of [
    ['', true],
    ['index.js', true],
    ['lib/latest.js', true],
    ['LICENSE', true],
    ['test', false],
    ['lib/tests/x.js', false],
    ['bench.js', false],
    ['index.d.ts', false],
    ['README.md', false],
  ] as const)
    it(`${path || 'the folder itself'}: ${expected ? 'packed' : 'not packed'}`, () =>
      assert.equal(isPacked('node_modules/a', path), expected))
})

describe('npm run package:deb', () => {
  const cases: readonly { name: string; words: readonly string[]; env?: NodeJS.ProcessEnv; says: RegExp }[] = [
    {
      name: 'a compression that is none',
      words: ['--compression', 'zip'],
      says: /^--compression is xz, gzip or none, not "zip"\.$/m,
    },
    { name: 'an option that it does not have', words: ['--release', 'zed'], says: /^Unknown option '--release'/ },
    { name: 'an option without its value', words: ['--output'], says: /^Option '--output <value>' argument missing/ },
    {
      name: 'a file in the folder’s place',
      words: ['--output', join(ROOT, 'package.json')],
      says: /is the folder for the package/,
    },
    {
      name: 'a time that is none',
      words: [],
      env: { SOURCE_DATE_EPOCH: 'now' },
      says: /^SOURCE_DATE_EPOCH is a number .*, not "now"/,
    },
  ]
  for (const { name, words, env, says } of cases)
    it(`refuses ${name}, in a sentence`, () => {
      const options = { encoding: 'utf8', env: { ...process.env, ...env } } as const
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        [join(ROOT, 'packaging/deb.js'), ...words],
        options,
      )
      assert.deepEqual([status, stdout], [2, ''], stderr)
      assert.match(stderr, says)
      assert.match(stderr, /^Usage: npm run package:deb/m)
      assert.doesNotMatch(stderr, /\n\s+at /)
    })
})

const obstacle = !hasProgram('dpkg-deb')
  ? 'this is no Debian'
  : !mayBeAnyone() && 'a plain user’s sandbox has no other users to install for'

describe('the Debian package', { skip: obstacle }, () => {
  const scratch = mkdtempSync(join(tmpdir(), 'firstboot-packaging-'))
  const build = (output: string) =>
    buildDebianPackage(ROOT, join(scratch, output), new Date('2026-01-02T03:04:06Z'), 'none')
  let machine: TestMachine
  let root: PackagedRoot
  let deb: string

  before(async () => {
    deb = build('first')
    machine = await openTestMachine()
    root = openPackagedRoot(machine)
    root.run('dpkg', '--force-unsafe-io', '--install', root.bring(deb))
  })
  after(async () => {
    await machine?.stop()
    rmSync(scratch, { recursive: true, force: true })
  })

  const start = (...command: readonly string[]) => startService(machine, root.command(...command))

  it('has only what is needed, and where Debian wants it', () => {
    const lines = execFileSync('dpkg-deb', ['--contents', deb], { encoding: 'utf8' }).trim().split('\n')
    const entries = lines.map((line) => line.split(/\s+/))
    assert.deepEqual(new Set(entries.map(([, owner]) => owner)), new Set(['root/root']))
    const files = entries
      .filter(([mode]) => !mode?.startsWith('d'))
      .map((entry) => entry[5]?.replace(/^\.\//, '') ?? '')
    assert.deepEqual(
      files.filter((file) => !PLACES.some((place) => place.test(file))),
      [],
    )
    assert.deepEqual(
      files.filter((file) => FOR_DEVELOPERS.test(file)),
      [],
    )
  })

  it('has the same bytes when it is built again', () => {
    const digest = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex')
    assert.equal(digest(build('second')), digest(deb))
  })

  it('runs on the Node that it brings', () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
    assert.equal(root.run('env', '--ignore-environment', '/usr/bin/firstboot', '--version'), `firstboot ${version}\n`)
  })

  it('has units in which systemd finds no fault', () => {
    const units = UNITS.map((path) => `/lib/systemd/system/${basename(path)}`)
    assert.deepEqual(root.try('systemd-analyze', 'verify', '--man=no', ...units), { isWell: true, said: '' })
  })

  it('lets nobody read what may hold secrets', () => {
    const said = root.run('stat', '--format=%n %a %U:%G', ...CONFIGURATION)
    const modes = CONFIGURATION.map((path) =>
      path.endsWith('.env') ? `${path} 600 root:root` : `${path} 640 root:firstboot`,
    )
    assert.deepEqual(said.trim().split('\n'), modes)
  })

  describe('with its services as their units describe them', () => {
    let api: Daemon
    let agent: Daemon

    before(async () => {
      machine.run('ip', 'link', 'set', 'lo', 'up')
      writeFileSync(join(scratch, 'inventory.yaml'), INVENTORY)
      root.run('/usr/bin/firstboot', 'apply', '--file', root.bring(join(scratch, 'inventory.yaml')))
      api = start(...serviceCommand(unit('metadata-api.service')))
      await api.saying('listens on 127.0.0.1 port 8775')
      agent = start(
        ...['systemd-socket-activate', `--listen=${SOCKET}`],
        ...serviceCommand(unit('metadata-agent.service')),
      )
      await agent.saying('Listening on')
    })
    after(async () => {
      assert.deepEqual([await agent?.end(), await api?.end()], [0, 0])
    })

    it('answers a proxy by agent and API, which are a user without privileges', () => {
      const identity = ['--header', `X-Neutron-Network-ID: ${NETWORK}`, '--header', 'X-Forwarded-For: 192.168.50.10']
      const answer = root.run(...CURL, '--unix-socket', SOCKET, ...identity, META_DATA)
      assert.equal(JSON.parse(answer).name, 'web-1', agent.said())
      assert.equal(root.run('stat', '--format=%a %U', SECRET), '600 firstboot\n')
    })

    it('serves guests by a DHCP agent that has no more capabilities than it needs', async () => {
      const service = serviceCommand(unit('dhcp-agent.service'))
      const dnsmasq = () => root.try('cat', `/var/lib/firstboot/dhcp/${NETWORK}/pid`).said.trim()
      const earlier = start(...service)
      await earlier.saying('serves the networks')
      await eventually('dnsmasq serves', () => dnsmasq() !== '')
      const pid = dnsmasq()
      assert.notEqual(root.run('stat', '--format=%U', `/proc/${pid}`), 'root\n')
      const guest = plugGuest()
      await eventually('the guest is answered', () => /"name": "web-1"/.test(guest(META_DATA)))

      assert.equal(await earlier.end('SIGTERM'), 0)
      const next = start(...service)
      await next.saying('serves the networks')
      await eventually('the guest is answered again', () => /"name": "web-1"/.test(guest(META_DATA)))
      assert.equal(dnsmasq(), pid)

      assert.equal(await next.end('SIGINT'), 0, next.said())
      assert.doesNotMatch(root.run('ip', 'netns', 'list'), /qdhcp/)
      assert.doesNotMatch(earlier.said() + next.said(), /EPERM|EACCES|not permitted/)
    })

    it('starts the OVN metadata agent where there is no OVN yet, ready for requests', async () => {
      assert.equal(await agent.end(), 0) // as systemd would: the units conflict
      const ovn = start(...serviceCommand(unit('ovn-metadata-agent.service')))
      await ovn.saying('database is not connected')
      assert.match(root.try('/usr/bin/firstboot', 'datapath', 'status').said, /Open_vSwitch: it is not connected/)
      assert.equal(await ovn.end('SIGINT'), 0, ovn.said())
      assert.doesNotMatch(ovn.said(), /EPERM|not permitted/)
    })

    /** A machine of the operator's on the network's bridge. @returns what it reads at a URL, or the problem with that */
    function plugGuest(): (url: string) => string {
      const bridge = `brq${NETWORK.slice(0, 11)}`
      root.run('ip', 'netns', 'add', GUEST)
      root.run('ip', 'link', 'add', 'tap-guest', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', GUEST)
      root.run('ip', 'link', 'set', 'tap-guest', 'master', bridge, 'up')
      const inside = ['ip', '-netns', GUEST]
      root.run(...inside, 'link', 'set', 'eth0', 'address', MAC, 'up')
      root.run(...inside, 'address', 'add', '192.168.50.10/24', 'dev', 'eth0')
      root.run(...inside, 'route', 'add', '169.254.169.254', 'dev', 'eth0')
      return (url) => root.try('ip', 'netns', 'exec', GUEST, ...CURL, url).said
    }
  })

  it('goes without a trace but the inventory', () => {
    root.run('dpkg', '--force-unsafe-io', '--purge', 'firstboot')
    const places = ['/usr/lib/firstboot', '/usr/bin/firstboot', '/etc/firstboot', '/usr/share/firstboot']
    for (const place of places) assert.ok(!root.try('test', '-e', place).isWell, place)
    root.run('test', '-s', '/var/lib/firstboot/inventory.sqlite')
  })
})
