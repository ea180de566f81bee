import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { eventually } from './support/eventually.ts'
import {
  BRIDGE,
  type InstalledPackage,
  installPackage,
  NETWORK,
  noInstalledPackage,
} from './support/installed-package.ts'
import { CURL, makeOperatorsGuest, type OperatorsGuest } from './support/operators-guest.ts'
import type { PackagedRoot } from './support/packaged-root.ts'
import { FORBIDDEN, type Units } from './support/units.ts'

// The Debian package on a machine that systemd runs: installed, its daemons driven as an operator and misfortune drive them, removed.

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const UNITS = globSync('packaging/systemd/*.{service,socket}', { cwd: ROOT }).map((path) => basename(path))
const STATE = '/var/lib/firstboot'
const SOCKET = `${STATE}/run/metadata_proxy`
const SECRET = `${STATE}/metadata_proxy_shared_secret`
const CONFIGURATION = ['dhcp-agent', 'metadata-agent', 'metadata-api', 'ovn-metadata-agent']
  .map((name) => `/etc/firstboot/${name}.ini`)
  .concat('/etc/firstboot/up.env')

const PARTS = ['metadata-api', 'metadata-agent', 'dhcp-agent']
/** What `systemd-analyze security` may say at most, in tenths: 0 is a unit that may do nothing, 100 one that may do all. */
const EXPOSURE = { 'metadata-api': 15, 'metadata-agent': 15, 'dhcp-agent': 63, 'ovn-metadata-agent': 61, up: 77 }
/** Long enough for a loaded machine, short enough to wait for. */
const WATCHDOG_SECONDS = 4

describe('the Debian package under systemd', { skip: noInstalledPackage, timeout: 550_000 }, () => {
  let installed: InstalledPackage
  let root: PackagedRoot
  let units: Units
  let guest: OperatorsGuest

  before(async () => {
    installed = await installPackage()
    ;({ root, units } = installed)
  })
  after(() => installed?.close())

  const isAnswered = () => assert.match(guest.ask(), /"name": "web-1"/)
  const dnsmasq = () => root.try('cat', `${STATE}/dhcp/${NETWORK}/pid`).said.trim()
  const statusOf = (pid: string) => {
    const lines = root.run('cat', `/proc/${pid}/status`).split('\n')
    return new Map(lines.map((line) => line.split(/:\s+|\s/) as [string, string]))
  }
  const setWorkers = (count: string) =>
    root.run(
      'sed',
      '--in-place',
      `s/^metadata_workers =.*/metadata_workers = ${count}/`,
      '/etc/firstboot/metadata-agent.ini',
    )

  describe('once installed', () => {
    it('starts nothing by itself', () => {
      assert.deepEqual([...PARTS, 'ovn-metadata-agent', 'up'].filter(units.isActive), [])
    })

    it('runs on the Node that it brings', () => {
      const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
      assert.equal(root.run('env', '--ignore-environment', '/usr/bin/firstboot', '--version'), `firstboot ${version}\n`)
    })

    it('has units in which systemd finds no fault', () => {
      const { isWell, said } = root.try('systemd-analyze', 'verify', '--man=no', ...UNITS)
      assert.deepEqual({ isWell, said }, { isWell: true, said: '' })
    })

    for (const [unit, most] of Object.entries(EXPOSURE))
      it(`exposes no more of the machine to ${unit} than it needs`, () => {
        const { isWell, said } = root.try(
          'systemd-analyze',
          'security',
          '--no-pager',
          `--threshold=${most}`,
          `firstboot-${unit}`,
        )
        assert.ok(isWell, said.trim().split('\n').at(-1))
      })

    it('lets nobody read what may hold secrets', () => {
      const said = root.run('stat', '--format=%n %a %U:%G', ...CONFIGURATION)
      const modes = CONFIGURATION.map((path) =>
        path.endsWith('.env') ? `${path} 600 root:root` : `${path} 640 root:firstboot`,
      )
      assert.deepEqual(said.trim().split('\n'), modes)
    })
  })

  describe('with a unit for each part', () => {
    before(() => {
      units.systemctl('enable', '--now', ...PARTS.map((unit) => `firstboot-${unit}`))
    })

    it('serves guests, in namespaces that everybody on the host sees', async () => {
      assert.deepEqual(PARTS.filter(units.isActive), PARTS)
      await eventually('there is a bridge', () => root.try('ip', 'link', 'show', BRIDGE).isWell)
      guest = makeOperatorsGuest(root)
      root.run('ip', 'link', 'set', guest.tap, 'master', BRIDGE)
      await eventually('the guest is answered', () => /"name": "web-1"/.test(guest.ask()))
      assert.match(root.run('ip', 'netns', 'list'), new RegExp(`^qdhcp-${NETWORK}`, 'm'))
      await eventually('it is recorded', () => /meta_data\.json/.test(root.try('firstboot', 'requests', 'web-1').said))
    })

    it('has each run with what its unit allows it', () => {
      const [api, agent, dhcp] = PARTS.map((unit) => statusOf(units.show(unit, 'MainPID')))
      const user = root.run('id', '--user', 'firstboot').trim()
      const said = (status: Map<string, string> | undefined, ...keys: string[]) => keys.map((key) => status?.get(key))
      for (const status of [api, agent])
        assert.deepEqual(said(status, 'Uid', 'CapBnd', 'NoNewPrivs', 'Seccomp'), [user, '0'.repeat(16), '1', '2'])
      assert.deepEqual(said(dhcp, 'Uid', 'NoNewPrivs', 'Seccomp'), ['0', '1', '2'])
      assert.notEqual(statusOf(dnsmasq()).get('Uid'), '0')
      assert.equal(root.run('stat', '--format=%a %U', SECRET), '600 firstboot\n')
    })

    for (const unit of PARTS)
      it(`has ${unit} read its options again`, async () => {
        const pid = units.show(unit, 'MainPID')
        units.systemctl('reload', `firstboot-${unit}`)
        await eventually('it says so', () => /was read again|every option is as before/.test(units.journal(unit)))
        await eventually('systemd knows', () => units.isActive(unit))
        assert.equal(units.show(unit, 'MainPID'), pid)
        isAnswered()
      })

    for (const unit of PARTS)
      it(`starts ${unit} again when it is killed, and no guest is refused meanwhile`, async () => {
        const pid = dnsmasq()
        await units.startedAnewBy(() => {
          units.signal(unit, 'SIGKILL')
          isAnswered()
        }, unit)
        isAnswered()
        assert.equal(dnsmasq(), pid)
      })

    it('starts again those that hang, as their watchdogs find', async () => {
      for (const unit of PARTS) units.override(unit, `WatchdogSec=${WATCHDOG_SECONDS}`)
      units.systemctl('restart', ...PARTS.map((unit) => `firstboot-${unit}`))
      await units.startedAnewBy(
        () => {
          for (const unit of PARTS) units.signal(unit, 'SIGSTOP')
        },
        ...PARTS,
      )
      for (const unit of PARTS) assert.match(units.journal(unit), /Watchdog timeout/)
      isAnswered()
    })

    it('goes over to a new version without a guest being refused', () => {
      const [pid, ...former] = [dnsmasq(), ...PARTS.map((unit) => units.show(unit, 'MainPID'))]
      installed.upgrade()
      isAnswered()
      assert.deepEqual(PARTS.filter(units.isActive), PARTS)
      for (const [i, unit] of PARTS.entries()) assert.notEqual(units.show(unit, 'MainPID'), former[i], unit)
      assert.equal(dnsmasq(), pid)
    })

    it('starts the agent when a guest asks', () => {
      units.systemctl('stop', 'firstboot-metadata-agent.service')
      isAnswered()
      assert.ok(units.isActive('metadata-agent'))
    })

    it('does not start an agent with a wrong option over and over while guests ask, and serves when it is mended', async () => {
      units.systemctl('stop', 'firstboot-metadata-agent.service')
      setWorkers('many')
      const asking = root.try(...CURL, '--max-time', '1', '--unix-socket', SOCKET, 'http://localhost/')
      assert.ok(!asking.isWell)
      await eventually('it has failed', () => units.show('metadata-agent', 'SubState') === 'stop-post')
      setWorkers('2')
      await eventually('it serves', () => units.isActive('metadata-agent'))
      const refusals = units.journal('metadata-agent').split('"many" is not a whole number').length - 1
      assert.ok(refusals === 1 || refusals === 2, `${refusals}, where there were 15 in 10 s`)
      isAnswered()
    })

    it('ends each cleanly, and guests stay served without the DHCP agent', () => {
      units.systemctl('stop', 'firstboot-dhcp-agent')
      isAnswered()
      units.systemctl('stop', 'firstboot-metadata-agent.socket', 'firstboot-metadata-agent', 'firstboot-metadata-api')
      for (const unit of PARTS)
        assert.deepEqual(
          ['ActiveState', 'Result', 'ExecMainStatus'].map((property) => units.show(unit, property)),
          ['inactive', 'success', '0'],
          unit,
        )
    })
  })

  describe('at its end', () => {
    it('was never refused anything by its own units', () => {
      const lines = PARTS.flatMap((unit) => units.journal(unit).split('\n'))
      assert.deepEqual(
        lines.filter((line) => FORBIDDEN.test(line)),
        [],
      )
    })

    it('goes with all that runs, and with what a stopped agent left, but for the inventory', async () => {
      units.systemctl('start', 'firstboot-metadata-api', 'firstboot-metadata-agent', 'firstboot-dhcp-agent')
      await eventually('there is a namespace', () => /qdhcp-/.test(root.run('ip', 'netns', 'list')))
      units.systemctl('stop', 'firstboot-dhcp-agent')
      root.run('ip', 'link', 'delete', guest.tap) // a bridge with a port of somebody else’s would stay
      root.run('dpkg', '--force-unsafe-io', '--purge', 'firstboot')

      const places = ['/usr/lib/firstboot', '/usr/bin/firstboot', '/etc/firstboot', '/usr/share/firstboot']
      for (const place of places) assert.ok(!root.try('test', '-e', place).isWell, place)
      assert.doesNotMatch(root.run('ip', 'netns', 'list'), /qdhcp-/)
      assert.doesNotMatch(root.run('ps', '-e', '-o', 'args'), /firstboot|dnsmasq/)
      assert.doesNotMatch(root.run('ip', '-brief', 'link'), /brq/)
      assert.equal(root.run('find', '/etc/systemd', '-name', 'firstboot*'), '')
      root.run('test', '-s', `${STATE}/inventory.sqlite`)
    })
  })
})
