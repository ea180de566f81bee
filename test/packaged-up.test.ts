import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { eventually } from './support/eventually.ts'
import {
  BRIDGE,
  type InstalledPackage,
  installPackage,
  NETWORK,
  noInstalledPackage,
} from './support/installed-package.ts'
import { CURL, META_DATA, makeOperatorsGuest, type OperatorsGuest } from './support/operators-guest.ts'
import { OVN_PORT, startOvn } from './support/packaged-ovn.ts'
import type { PackagedRoot } from './support/packaged-root.ts'
import { FORBIDDEN, type Units } from './support/units.ts'

// As packaged-agents.test.ts: firstboot up as a unit, and the OVN metadata agent.

const SECRET = '/var/lib/firstboot/metadata_proxy_shared_secret'
const PARTS = ['metadata-api', 'metadata-agent', 'dhcp-agent']

describe('firstboot up and the OVN metadata agent under systemd', {
  skip: noInstalledPackage,
  timeout: 550_000,
}, () => {
  let installed: InstalledPackage
  let root: PackagedRoot
  let units: Units
  let guest: OperatorsGuest

  before(async () => {
    installed = await installPackage()
    ;({ root, units } = installed)
    guest = makeOperatorsGuest(root)
  })
  after(() => installed?.close())

  const isAnswered = () => assert.match(guest.ask(), /"name": "web-1"/)

  describe('with all of it in one unit', () => {
    const instance = () => root.run('firstboot', 'exec', 'web-2', '--', 'readlink', '/proc/self/ns/pid')

    it('takes the place of its parts', async () => {
      units.systemctl('start', 'firstboot-metadata-api', 'firstboot-metadata-agent', 'firstboot-dhcp-agent')
      units.systemctl('start', 'firstboot-up')
      await eventually('there is a bridge', () => root.try('ip', 'link', 'show', BRIDGE).isWell)
      root.run('ip', 'link', 'set', guest.tap, 'master', BRIDGE)
      assert.deepEqual([...PARTS, 'up'].filter(units.isActive), ['metadata-api', 'up'])
      isAnswered()
      const asked = () => root.try('firstboot', 'exec', 'web-2', '--', ...CURL, META_DATA).said
      await eventually('an instance of its own is answered', () => /"name": "web-2"/.test(asked()), 60_000)
    })

    for (const [what, act] of [
      ['reloaded', () => units.systemctl('reload', 'firstboot-up')],
      ['restarted', () => units.systemctl('restart', 'firstboot-up')],
      ['killed', () => units.startedAnewBy(() => units.signal('up', 'SIGKILL'), 'up')],
    ] as const)
      it(`leaves instances running, and refuses no guest, when it is ${what}`, async () => {
        const running = instance()
        await act()
        isAnswered()
        assert.equal(instance(), running)
        await eventually('it is active', () => units.isActive('up'))
      })

    it('takes networks and instances away when it is stopped', () => {
      units.systemctl('stop', 'firstboot-up')
      assert.equal(units.show('up', 'Result'), 'success')
      assert.doesNotMatch(root.run('ip', 'netns', 'list'), /qdhcp-|instance-/)
    })
  })

  describe('with the OVN metadata agent', () => {
    it('starts it where there is no OVN yet, ready for requests', async () => {
      units.systemctl('stop', 'firstboot-metadata-api')
      root.run('rm', SECRET)
      units.systemctl('start', 'firstboot-ovn-metadata-agent')
      assert.match(root.try('firstboot', 'datapath', 'status').said, /Open_vSwitch: it is not connected/)
      assert.match(units.journal('ovn-metadata-agent'), /database is not connected/)
      const pid = units.show('ovn-metadata-agent', 'MainPID')
      units.systemctl('reload', 'firstboot-ovn-metadata-agent')
      await eventually('it is active', () => units.isActive('ovn-metadata-agent'))
      assert.equal(units.show('ovn-metadata-agent', 'MainPID'), pid)
    })

    it('lets an API of the same host use the secret that it has made', () => {
      units.systemctl('start', 'firstboot-metadata-api')
      assert.equal(root.run('stat', '--format=%a %U', SECRET), '600 firstboot\n')
    })

    it('serves guests when OVN has come', async () => {
      startOvn(root)
      guest.computeChecksums()
      guest.forgetNeighbours()
      root.run(
        'ovs-vsctl',
        'add-port',
        'br-int',
        guest.tap,
        '--',
        'set',
        'Interface',
        guest.tap,
        `external_ids:iface-id=${OVN_PORT}`,
      )
      const namespaces = () => root.run('ip', 'netns', 'list')
      await eventually('there is a namespace', () => namespaces().includes(`ovnmeta-${NETWORK}`))
      root.run('ovn-nbctl', '--timeout=20', '--wait=hv', 'sync')
      await eventually('the guest is answered', () => /"name": "web-1"/.test(guest.ask()), 60_000)
    })

    it('starts it again when it is killed, and no guest is refused meanwhile', async () => {
      await units.startedAnewBy(() => {
        units.signal('ovn-metadata-agent', 'SIGKILL')
        isAnswered()
      }, 'ovn-metadata-agent')
      isAnswered()
    })

    it('ends it cleanly', () => {
      units.systemctl('stop', 'firstboot-ovn-metadata-agent')
      assert.equal(units.show('ovn-metadata-agent', 'Result'), 'success')
    })

    it('takes away what it left when the package is removed', () => {
      assert.match(root.run('ip', 'netns', 'list'), /ovnmeta-/)
      const lines = ['up', 'ovn-metadata-agent', 'metadata-api'].flatMap((unit) => units.journal(unit).split('\n'))
      assert.deepEqual(
        lines.filter((line) => FORBIDDEN.test(line)),
        [],
      )
      root.run('dpkg', '--force-unsafe-io', '--remove', 'firstboot')
      assert.doesNotMatch(root.run('ip', 'netns', 'list'), /ovnmeta-/)
      assert.doesNotMatch(root.run('ps', '-e', '-o', 'args'), /firstboot/)
      assert.deepEqual(root.run('ovs-vsctl', 'list-ports', 'br-int'), `${guest.tap}\n`)
    })
  })
})
