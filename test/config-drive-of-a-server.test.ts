import assert from 'node:assert/strict'
import { truncateSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { file, ID, inventory, KEPT, kept, removeFolder, SERVER } from './support/drive-commands.ts'

/** The config drive that a server of the inventory has, and what else is needed to run it elsewhere. */
after(removeFolder)

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
    const told = /STALE: (.*)$/m.exec((await kept('show', 'web-1')).out)?.[1]?.split('; ') ?? []
    assert.ok(told.includes('its user data changed'), told.join())
    const reasons = told.map((each) => each.replace(/ \(\S.*/, ''))
    assert.deepEqual(reasons, [...new Set(reasons)], 'each once')
    const rebuilt = await kept('config-drive', 'verify', 'web-1', '--rebuild')
    assert.equal(rebuilt.code, 0, rebuilt.err)
    assert.match(rebuilt.err, /documents were stale \(.*its user data changed.*\)\. It is built anew:\n/)
    assert.equal(rebuilt.out.split('\n').length, 2, 'the drive, and no table')
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
    assert.match((await kept('show', 'network', ID, '--qemu')).err, /are about servers/)
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
