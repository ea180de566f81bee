import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { guestRootProblem } from '../../bootstrap/guest-root.js'
import { eventually } from '../support/eventually.ts'
import { type BootEvidence, bootEvidence, bootLightInstance, type LightInstance } from '../support/light-instance.ts'
import { openTestMachine, type TestMachine } from '../support/test-machine.ts'

//   namespace guest              the test machine                        namespace qdhcp-5a1f0c3e-...
//   eth0 fa:16:3e:11:22:33 ----- tap7c9e6679-74 ] brq5a1f0c3e-6d [ ----- ns-...: dnsmasq, 169.254.169.254:80
//
// The network side is firstboot's; guest and tap are ours, as libvirt's would be.

const INVENTORY = fileURLToPath(new URL('cloud-init.yaml', import.meta.url))
const FIRSTBOOT = fileURLToPath(new URL('../../bin/firstboot.js', import.meta.url))
const BRIDGE = 'brq5a1f0c3e-6d'
const TAP = 'tap7c9e6679-74'
const MAC = 'fa:16:3e:11:22:33'
const ADDRESS = '10.20.0.15'

describe('unmodified cloud-init on an isolated network', { skip: guestRootProblem() ?? false }, () => {
  const state = mkdtempSync(join(tmpdir(), 'firstboot-e2e-'))
  let machine: TestMachine
  let instance: LightInstance
  let seen: BootEvidence

  before(async () => {
    machine = await openTestMachine()
    const up = [FIRSTBOOT, 'up', '-f', INVENTORY, '--state-dir', state, '--log-level', 'warn']
    machine.start([process.execPath, ...up], { stdio: ['ignore', 'ignore', 'inherit'] })
    await eventually('the bridge of the network exists', () => linkNames(machine).includes(BRIDGE))
    plugExternal(machine)
    instance = await bootLightInstance(machine, 'guest')
    seen = bootEvidence(instance)
  })

  after(async () => {
    await instance?.stop()
    await machine?.stop()
    rmSync(state, { recursive: true, force: true })
  })

  it('finds the OpenStack datasource before the network is up', () => {
    assert.match(seen.datasource, /^DataSourceOpenStackLocal \[net,ver=2\]$/)
    assert.deepEqual(seen.errors, [])
  })

  it('runs its stages in order', () =>
    assert.deepEqual(seen.stages, ['init-local', 'init', 'modules:config', 'modules:final']))

  it('takes the hostname', () => assert.equal(seen.hostname, 'web-1'))

  it('lets the owner of the key in, as the default user', () => {
    const key = /ssh-ed25519 \S+ alice@example/
    assert.match(instance.read('/home/debian/.ssh/authorized_keys'), key)
    assert.match(instance.read('/root/.ssh/authorized_keys'), /^no-port-forwarding.*Please login as the user/)
  })

  it('runs the user data', () => assert.equal(instance.read('/var/user-data-trace'), 'ran on web-1 as root\n'))

  it('gets the address of its port by DHCP and keeps it', () =>
    assert.match(instance.run('ip', '-4', '-oneline', 'address', 'show', 'eth0'), new RegExp(`inet ${ADDRESS}/24 `)))

  it('asks for the documents of the newest version it knows, then for the EC2 tree', () => {
    const documents = ['meta_data.json', 'user_data', 'vendor_data.json', 'vendor_data2.json', 'network_data.json']
    assert.deepEqual(seen.requests.slice(0, 7), [
      '200 /openstack',
      '200 /openstack',
      ...documents.map((name) => `200 /openstack/2018-08-27/${name}`),
    ])
    assert.ok(seen.requests.includes('200 /latest/meta-data/'))
    assert.ok(seen.requests.includes('200 /latest/meta-data/local-ipv4'))
    assert.deepEqual(
      seen.requests.filter((request) => !request.startsWith('200 ')),
      [],
    )
  })
})

/** Plugs a guest into its port as a hypervisor outside of firstboot does. `eth0` stays down: cloud-init raises it. */
function plugExternal(machine: TestMachine): void {
  machine.run('ip', 'netns', 'add', 'guest')
  machine.run('ip', 'link', 'add', TAP, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', 'guest')
  machine.run('ip', '-n', 'guest', 'link', 'set', 'eth0', 'address', MAC)
  machine.run('ip', 'link', 'set', TAP, 'master', BRIDGE, 'up')
}

function linkNames(machine: TestMachine): string[] {
  const links = JSON.parse(machine.run('ip', '-json', 'link')) as { ifname: string }[]
  return links.map((link) => link.ifname)
}
