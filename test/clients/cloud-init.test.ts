import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { askAs, recorded } from './ask.ts'
import { bootFromEc2, bootFromOpenstack, debian12, newest, type Release } from './cloud-init.ts'
import { type ServeProcess, startServeForAll } from './serve-process.ts'

const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFO+4Jp0R2V6AJkg2RFpww3hzEM53/+iCZqurFVQTIkf alice@field'
const USER_DATA = '#cloud-config\nhostname: web-1\n'

interface Recording {
  readonly name: string
  readonly requests: readonly { readonly path: string }[]
}

/** What the real one asked of a server with one key and no security groups. */
function recordedPaths(run: string): string[] {
  const { runs } = JSON.parse(readFileSync(new URL('cloud-init-requests.json', import.meta.url), 'utf8'))
  const found = (runs as Recording[]).find(({ name }) => name === run)
  return found?.requests.map(({ path }) => path) ?? []
}

describe('cloud-init', () => {
  let serve: ServeProcess
  before(async () => {
    serve = await startServeForAll()
  })
  after(async () => {
    assert.equal(await serve.stop(), 0, serve.printed.join('\n'))
  })

  const releases: { name: string; release: Release; openstack: string; ec2: string }[] = [
    { name: '22.4.2', release: debian12, openstack: 'os-22.4.2', ec2: 'ec2-nova-22.4.2' },
    { name: '26.2', release: newest, openstack: 'os-26', ec2: 'ec2-nova-26' },
  ]
  for (const { name, release, openstack, ec2 } of releases) {
    it(`${name} with the OpenStack source is told everything`, async () => {
      const { ask, asked } = recorded(askAs(serve, 'web-1', release.agent))
      const guest = await bootFromOpenstack(ask, release)
      assert.equal(guest?.instanceId, '11111111-1111-4111-8111-111111111111')
      assert.equal(guest?.hostname, 'web-1.novalocal')
      assert.deepEqual(guest?.keys, [KEY])
      assert.equal(guest?.userData?.toString(), USER_DATA)
      assert.equal(guest?.macs.length, 1)
      assert.equal(guest?.ec2.get('local-ipv4'), '10.9.0.11')
      const wanted = new Set(recordedPaths(openstack))
      assert.deepEqual(
        asked.filter((path) => wanted.has(path)),
        recordedPaths(openstack),
        'asks what the real one asks, in its order',
      )
    })

    it(`${name} with the EC2 source is told everything`, async () => {
      const first = recorded(askAs(serve, 'web-1', release.agent))
      const second = recorded(askAs(serve, 'web-1', release.crawlAgent))
      const guest = await bootFromEc2(first.ask, second.ask)
      assert.match(guest?.instanceId ?? '', /^i-[0-9a-f]{8}$/)
      assert.equal(guest?.hostname, 'web-1.novalocal')
      assert.deepEqual(guest?.keys, [KEY])
      assert.equal(guest?.userData?.toString(), USER_DATA)
      const asked = [...first.asked, ...second.asked]
      const wanted = new Set(recordedPaths(ec2))
      assert.deepEqual(
        asked.filter((path) => wanted.has(path)),
        recordedPaths(ec2),
      )
    })

    it(`${name} boots a server without key and user data`, async () => {
      const guest = await bootFromOpenstack(askAs(serve, 'bare-1', release.agent), release)
      assert.equal(guest?.instanceId, '33333333-3333-4333-8333-333333333333')
      assert.deepEqual(guest?.keys, [])
      assert.equal(guest?.userData, undefined)
    })
  }

  it('gets compressed user data as it is', async () => {
    const guest = await bootFromOpenstack(askAs(serve, 'packed-1', newest.agent), newest)
    assert.deepEqual([...(guest?.userData?.subarray(0, 3) ?? [])], [0x1f, 0x8b, 8])
  })
})

describe('cloud-init in trouble', () => {
  const cases: {
    name: string
    release: Release
    fault: string
    wantUserData: string | undefined
    wantCode: number
    wantVerdict: RegExp
  }[] = [
    {
      name: '22.4.2 loses its user data to one 503',
      release: debian12,
      fault: '/openstack/*/user_data:status=503:first=1',
      wantUserData: undefined,
      wantCode: 1,
      wantVerdict: /cloud-init \(OpenStack\) 22\.4\.2 lacks:\n +user_data: the last answer was 503\n/,
    },
    {
      name: '26.2 asks again after a 503',
      release: newest,
      fault: '/openstack/*/user_data:status=503:first=2',
      wantUserData: USER_DATA,
      wantCode: 0,
      wantVerdict: /cloud-init \(OpenStack\) 26\.2 has everything it needs \(\d+ requests\)/,
    },
    {
      name: '26.2 believes a 404',
      release: newest,
      fault: '/openstack/*/user_data:missing',
      wantUserData: undefined,
      wantCode: 1,
      wantVerdict: /user_data: the last answer was 404\n/,
    },
    {
      name: '26.2 gets over a truncated answer',
      release: newest,
      fault: '/openstack/*/user_data:truncate:first=1',
      wantUserData: USER_DATA,
      wantCode: 0,
      wantVerdict: /has everything it needs/,
    },
  ]
  for (const { name, release, fault, wantUserData, wantCode, wantVerdict } of cases)
    it(name, async () => {
      const serve = await startServeForAll('--fault', fault)
      const guest = await bootFromOpenstack(askAs(serve, 'web-1', release.agent), release)
      assert.equal(guest?.userData?.toString(), wantUserData)
      assert.equal(await serve.stop(), wantCode)
      assert.match(`${serve.printed.join('\n')}\n`, wantVerdict)
    })

  it('finds no source where /openstack is 404', async () => {
    const serve = await startServeForAll('--fault', '/openstack:missing')
    assert.equal(await bootFromOpenstack(askAs(serve, 'web-1', debian12.agent), debian12), undefined)
    assert.equal(await serve.stop(), 1)
    assert.match(serve.printed.join('\n'), /meta_data\.json: it has not asked for it/)
  })
})
