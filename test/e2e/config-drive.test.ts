import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { firstboot } from '../support/daemon.ts'
import { type DriveGuests, driveGuestsProblem, drivePrints, KEY, startDriveGuests } from '../support/drive-guests.ts'
import { eventually } from '../support/eventually.ts'

//   the test machine: firstboot up
//   qemu iso-1   /dev/sr0  our ISO 9660      tap... ] brq...  [ ns-...: dnsmasq
//   qemu vfat-1  /dev/vdb  our VFAT          tap... ]
//
// A real Linux mounts each drive, then unmodified cloud-init configures itself from it.

const ISO = { name: 'iso-1', id: '0d4f0a6e-1c1b-4b52-9c53-1b7f6f3f1a01' }
const VFAT = { name: 'vfat-1', id: '0d4f0a6e-1c1b-4b52-9c53-1b7f6f3f1a02', build: ['--format', 'vfat'] }

/** A boot takes half a minute on an idle machine; here two run at a time, beside other tests. */
const BOOT_MILLISECONDS = 240_000

describe('a config drive in a virtual machine', { skip: driveGuestsProblem() ?? false }, () => {
  let guests: DriveGuests
  before(async () => {
    guests = await startDriveGuests([ISO, VFAT])
  })
  after(() => guests?.stop())

  const drives = [
    { guest: ISO, device: '/dev/sr0', type: 'iso9660' },
    { guest: VFAT, device: '/dev/vdb', type: 'vfat' },
  ]
  for (const { guest, device, type } of drives)
    it(`${guest.name} boots from its drive, ${type} on ${device}`, async () => {
      await eventually(`${guest.name} has booted`, () => guests.isDone(guest), BOOT_MILLISECONDS)
      const said = (word: string) => guests.said(guest, word)
      assert.deepEqual(said('mounted'), [`${device} ${type}`])
      assert.deepEqual(said('file').toSorted(), drivePrints(guests.drive(guest)))
      assert.deepEqual([said('dmi product'), said('dmi uuid')], [['OpenStack Nova'], [guest.id]])
      assert.match(said('udhcpc: lease of').join(), /^10\.44\.0\./, 'its tap is on the bridge')
      assert.deepEqual(said('datasource'), [
        `DataSourceConfigDrive: DataSourceConfigDrive [net,ver=2][source=${device}]`,
      ])
      assert.deepEqual([said('hostname'), said('injected'), said('key')], [[guest.name], [`for ${guest.name}`], [KEY]])
      assert.deepEqual(said('cloud-init'), [])
    })

  it('shows its console by name', () => {
    const out = guests.machine.run(...firstboot('console', ISO.name, '--no-follow', '--state-dir', guests.state))
    assert.match(out, /^hostname iso-1$/m)
  })

  it('can be changed for a guest that runs, where it is a cdrom', () => {
    const rebuild = (name: string) => {
      const words = [
        'config-drive',
        'build',
        name,
        '--rebuild',
        '--running',
        'media-change',
        '--state-dir',
        guests.state,
      ]
      return guests.machine.run('sh', '-c', 'exec "$@" 2>&1', 'sh', ...firstboot(...words))
    }
    assert.match(rebuild(ISO.name), /The medium in its cdrom was changed/)
    assert.match(rebuild(VFAT.name), /its drive is a disk, which cannot be changed under it/)
  })

  it('goes on with its guest when firstboot is killed; both guests end with the next, and disks and drives stay', async () => {
    const file = (name: string) => join(guests.state, 'machines', ISO.id, name)
    const pid = readFileSync(file('pid'), 'utf8')
    await guests.daemon.end('SIGKILL')
    const next = await guests.up()
    assert.equal(readFileSync(file('pid'), 'utf8'), pid)
    assert.equal(await next.end(), 0)
    assert.doesNotMatch(guests.machine.run('sh', '-c', 'cat /proc/[0-9]*/comm'), /qemu/)
    assert.doesNotMatch(guests.machine.run('ip', '-oneline', 'link'), /tap|brq/)
    assert.deepEqual(
      ['disk', 'disk.config', 'machine.json'].map((name) => existsSync(file(name))),
      [true, true, false],
    )
  })
})
