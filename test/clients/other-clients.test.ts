import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { askAs } from './ask.ts'
import { bootCirros, bootNixos, bootTalos, bootWindows, fetchIgnition, runAfterburn } from './other-clients.ts'
import { type ServeProcess, startServeForAll } from './serve-process.ts'

const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFO+4Jp0R2V6AJkg2RFpww3hzEM53/+iCZqurFVQTIkf alice@field'
const USER_DATA = '#cloud-config\nhostname: web-1\n'
const AGENTS = {
  cirros: 'curl/7.68.0',
  ignition: 'Ignition/2.19.0',
  windows: 'python-requests/2.31.0',
  talos: 'Go-http-client/1.1',
  nixos: 'Wget/1.21.4',
}

describe('CirrOS', () => {
  it('is told everything, after some failures for its instance-id', async () => {
    const serve = await startServeForAll('--fault', '/2009-04-04/meta-data/instance-id:status=503:first=5')
    const found = await bootCirros(askAs(serve, 'web-1', AGENTS.cirros))
    assert.match(found?.get('instance-id') ?? '', /^i-[0-9a-f]{8}$/)
    assert.equal(found?.get('key alice')?.trim(), KEY)
    assert.equal(found?.get('user-data'), USER_DATA)
    assert.equal(found?.get('local-ipv4'), '10.9.0.11')
    assert.equal(found?.get('availability-zone'), 'nova')
    assert.equal(found?.get('root'), '/dev/vda')
    assert.equal(await serve.stop(), 0, serve.printed.join('\n'))
    assert.match(serve.printed.join('\n'), /web-1: CirrOS has everything it needs/)
  })

  it('never sees an instance that does not answer', async () => {
    const serve = await startServeForAll('--fault', '/2009-04-04/**:reset')
    assert.equal(await bootCirros(askAs(serve, 'web-1', AGENTS.cirros)), undefined)
    assert.equal(await serve.stop(), 1)
    assert.match(serve.printed.join('\n'), /instance-id: the last time, the connection ended without an answer/)
  })
})

describe('afterburn', () => {
  let serve: ServeProcess
  before(async () => {
    serve = await startServeForAll('--fault', '/latest/meta-data/hostname:status=500:first=3')
  })
  after(() => serve.stop())

  it('finds attributes and keys, and waits out errors', async () => {
    const { attributes, keys } = await runAfterburn(askAs(serve, 'web-1'))
    assert.equal(attributes.get('hostname'), 'web-1.novalocal')
    assert.equal(attributes.get('local-ipv4'), '10.9.0.11')
    assert.equal(attributes.get('zone'), 'nova')
    assert.equal(attributes.get('public-ipv4'), '')
    assert.deepEqual(
      keys.map((key) => key.trim()),
      [KEY],
    )
  })

  it('finds no keys where there are none', async () => {
    assert.deepEqual((await runAfterburn(askAs(serve, 'bare-1'))).keys, [])
  })

  it('finds no keys at all where one has a = in its name', async () => {
    await assert.rejects(runAfterburn(askAs(serve, 'equals-1')), /error parsing keyID/)
  })
})

describe('Ignition', () => {
  it('waits for its config while the answer is 503 or none at all', async () => {
    const faults = [
      '--fault',
      '/openstack/*/user_data:reset:nth=1',
      '--fault',
      '/openstack/*/user_data:status=503:first=3',
    ]
    const serve = await startServeForAll(...faults)
    const config = await fetchIgnition(askAs(serve, 'packed-1', AGENTS.ignition))
    assert.deepEqual([...(config?.subarray(0, 3) ?? [])], [0x1f, 0x8b, 8])
    assert.equal(await serve.stop(), 0, serve.printed.join('\n'))
    assert.match(serve.printed.join('\n'), /packed-1: Ignition 2\.19\.0 has everything it needs \(4 requests\)/)
  })

  it('takes a 404 for “no config”, which is true of a server without user data', async () => {
    const serve = await startServeForAll()
    assert.equal(await fetchIgnition(askAs(serve, 'bare-1', AGENTS.ignition)), undefined)
    assert.equal(await serve.stop(), 0)
  })

  it('takes a 404 for “no config” also where it is a lie, and the verdict says so', async () => {
    const serve = await startServeForAll('--fault', '/openstack/*/user_data:missing:first=1')
    assert.equal(await fetchIgnition(askAs(serve, 'web-1', AGENTS.ignition)), undefined)
    assert.equal(await serve.stop(), 1)
    assert.match(serve.printed.join('\n'), /user_data: the last answer was 404/)
  })
})

describe('cloudbase-init', () => {
  it('unpacks its user data and posts its password, once', async () => {
    const serve = await startServeForAll('--fault', '/openstack/2013-04-04/password:status=500:nth=2')
    const ask = askAs(serve, 'packed-1', AGENTS.windows)
    const boot = () => bootWindows(ask, 'bm90IGEgcGFzc3dvcmQ=')
    const { password, ...known } = await boot()
    assert.equal(password, 'posted')
    assert.deepEqual(known, {
      instanceId: '22222222-2222-4222-8222-222222222222',
      hostname: 'packed-1.novalocal',
      userData: 'hello',
    })
    assert.equal((await boot()).password, 'already set')
    assert.equal((await ask('/openstack/latest/password')).body.toString(), 'bm90IGEgcGFzc3dvcmQ=')
    const second = await ask('/openstack/2013-04-04/password', { method: 'POST', body: 'x' })
    assert.equal(second.status, 409)
    assert.equal((await askAs(serve, 'web-1')('/openstack/latest/password')).body.length, 0, 'and nobody else’s')
    assert.equal(await serve.stop(), 0, serve.printed.join('\n'))
    assert.match(serve.printed.join('\n'), /packed-1: cloudbase-init has everything/)
  })
})

describe('Talos', () => {
  it('does not believe a truncated answer', async () => {
    const serve = await startServeForAll('--fault', '/openstack/latest/network_data.json:truncate:first=2')
    const guest = await bootTalos(askAs(serve, 'web-1', AGENTS.talos))
    assert.equal(guest.hostname, 'web-1.novalocal')
    assert.equal(guest.macs.length, 1)
    assert.equal(guest.machineConfig?.toString(), USER_DATA)
    assert.equal(guest.externalIp, undefined)
    assert.equal(await serve.stop(), 0, serve.printed.join('\n'))
    assert.match(serve.printed.join('\n'), /web-1: Talos has everything/)
  })

  it('waits in maintenance mode where there is no user data', async () => {
    const serve = await startServeForAll()
    assert.equal((await bootTalos(askAs(serve, 'bare-1', AGENTS.talos))).machineConfig, undefined)
    assert.equal(await serve.stop(), 0)
  })
})

describe('NixOS', () => {
  it('reads version 1.0 of the EC2 tree', async () => {
    const serve = await startServeForAll()
    const files = await bootNixos(askAs(serve, 'web-1', AGENTS.nixos))
    assert.equal(files.get('user-data'), USER_DATA)
    assert.equal(files.get('meta-data/hostname'), 'web-1.novalocal')
    assert.equal(files.get('meta-data/public-keys/0/openssh-key')?.trim(), KEY)
    const bare = await bootNixos(askAs(serve, 'bare-1', AGENTS.nixos))
    assert.equal(bare.get('user-data'), '')
    assert.equal(bare.get('meta-data/hostname'), 'bare-1.novalocal')
    assert.equal(await serve.stop(), 0, serve.printed.join('\n'))
    assert.match(serve.printed.join('\n'), /bare-1: NixOS has everything/)
  })
})
