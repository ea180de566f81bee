import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { guestKernelPath } from '../../bootstrap/guest-kernel.js'
import { type Daemon, firstboot, startDaemon } from '../support/daemon.ts'
import { driveGuestsProblem } from '../support/drive-guests.ts'
import { eventually } from '../support/eventually.ts'
import { startLibvirt, type Virsh } from '../support/libvirt.ts'
import { openTestMachine, type TestMachine } from '../support/test-machine.ts'

// A libvirtd of the test machine's own defines and starts what `hypervisor: libvirt` asks for. Nobody waits for the guest:
// that a kernel and cloud-init read the drive is seen in config-drive.test.ts.

const FORMER = '0d4f0a6e-1c1b-4b52-9c53-1b7f6f3f1b02'
const ID = '0d4f0a6e-1c1b-4b52-9c53-1b7f6f3f1b01'

describe('a server that libvirt runs', { skip: driveGuestsProblem() ?? false }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'firstboot-libvirt-'))
  const state = join(folder, 'state')
  const drive = join(state, 'machines', ID, 'disk.config')
  const inventory = join(folder, 'inventory.yaml')
  let machine: TestMachine
  let daemon: Daemon
  let virsh: Virsh
  const put = (text: object) => {
    writeFileSync(inventory, JSON.stringify(text))
    machine.run(...firstboot('apply', '-f', inventory, '--prune', '--state-dir', state))
  }

  before(async () => {
    machine = await openTestMachine()
    virsh = await startLibvirt(machine, folder)
    put(inventoryOf([server({}), server({ id: FORMER, name: 'former', hypervisor: 'external', networks: [] })]))
    machine.run(...firstboot('config-drive', 'build', 'former', '--state-dir', state))
    put(inventoryOf([server({})]))
    assert.ok(existsSync(join(state, 'machines', FORMER)))
    daemon = startDaemon(machine, 'up', '--state-dir', state)
    await daemon.saying('firstboot is up')
  })

  after(async () => {
    await machine?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  it('is a running domain with its drive, interface and SMBIOS', () => {
    assert.match(virsh('list', '--uuid', '--state-running'), new RegExp(ID), daemon.said())
    const xml = virsh('dumpxml', ID)
    assert.match(xml, /<entry name='product'>OpenStack Nova<\/entry>/)
    assert.match(xml, /<smbios mode='sysinfo'\/>/)
    assert.match(xml, new RegExp(`<disk type='file' device='cdrom'>[\\s\\S]*?<source file='${drive}'`))
    assert.match(xml, /<mac address='fa:16:3e:00:44:01'\/>[\s\S]*?<source bridge='brq/)
    assert.match(xml, /<nova:name>db-1<\/nova:name>/)
    const taps = machine.run('ip', '-oneline', 'link', 'show', 'type', 'tun')
    assert.match(taps, /tap[0-9a-f-]{11}.* master brq/)
  })

  it('has a domain that passes libvirt’s own schema', () => {
    const xml = join(folder, 'domain.xml')
    writeFileSync(xml, machine.run(...firstboot('show', ID, '--libvirt-xml', '--state-dir', state)))
    virsh('define', '--validate', xml)
  })

  it('finds nothing left of a server that was removed before', async () =>
    eventually('its folder is gone', () => !existsSync(join(state, 'machines', FORMER))))

  it('gets a rebuilt drive into its cdrom while it runs', () => {
    const rebuild = ['config-drive', 'build', ID, '--rebuild', '--running', 'media-change', '--state-dir', state]
    const out = machine.run('sh', '-c', 'exec "$@" 2>&1', 'sh', ...firstboot(...rebuild))
    assert.match(out, /The medium in its cdrom was changed/)
  })

  it('is started again when somebody destroys it', async () => {
    virsh('destroy', ID)
    await eventually('it runs again', () => virsh('list', '--uuid', '--state-running').includes(ID), 60_000)
  })

  it('goes with its server: domain, disk and drive', async () => {
    put(inventoryOf([]))
    await eventually('the domain is gone', () => !virsh('list', '--all', '--uuid').includes(ID), 60_000)
    await eventually('its folder is gone', () => !existsSync(join(state, 'machines', ID)))
    assert.doesNotMatch(daemon.said(), /"level":50/)
  })
})

function server(changes: object): object {
  return {
    id: ID,
    name: 'db-1',
    hypervisor: 'libvirt',
    config_drive: true,
    networks: [{ port: 'p' }],
    image: 'kernel-only',
    ...changes,
  }
}

function inventoryOf(servers: readonly object[]): object {
  return {
    networks: [{ name: 'n', subnets: [{ cidr: '10.44.0.0/24' }] }],
    ports: [{ name: 'p', network: 'n', mac_address: 'fa:16:3e:00:44:01' }],
    flavors: [{ name: 'tiny', ram: 64, disk: 0 }],
    images: [
      { name: 'kernel', properties: { direct_url: `file://${guestKernelPath()}/vmlinuz` } },
      { name: 'kernel-only', kernel_id: 'kernel' },
    ],
    servers,
  }
}
