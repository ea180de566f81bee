import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import type { Exchange } from './exchange.ts'
import { advance, newSession, type Session, senderOf } from './session.ts'
import { judge } from './verdict.ts'

const get = (path: string, userAgent?: string, changes: Partial<Exchange> = {}): Exchange => ({
  method: 'GET',
  path,
  userAgent,
  status: 200,
  isWhole: true,
  ...changes,
})
const sessionOf = (exchanges: readonly Exchange[]): Session => exchanges.reduce(advance, newSession)
const namesOf = (session: Session) => session.clients.map(({ client }) => client.name)

interface Recording {
  readonly name: string
  readonly requests: readonly { method: string; path: string; user_agent: string; status: number }[]
}

const { runs }: { runs: Recording[] } = JSON.parse(
  readFileSync(new URL('../../test/clients/cloud-init-requests.json', import.meta.url), 'utf8'),
)

describe('a recorded boot of cloud-init', () => {
  for (const { name, requests } of runs)
    it(`${name} is recognised from its first request, and has what it needs after its last`, () => {
      const exchanges = requests.map(({ path, user_agent, status, method }) =>
        get(path, user_agent, { status, method }),
      )
      const source = name.startsWith('os-') ? 'cloud-init (OpenStack)' : 'cloud-init (EC2)'
      assert.deepEqual(namesOf(sessionOf(exchanges.slice(0, 1))), [source])
      const session = sessionOf(exchanges)
      assert.deepEqual(namesOf(session), [source])
      assert.equal(session.clients[0]?.version, /[\d.]+$/.exec(requests[0]?.user_agent ?? '')?.[0])
      assert.deepEqual(judge(session)[0]?.lacks, [])
      assert.ok(exchanges.every((exchange) => senderOf(session, exchange)?.client.name === source))
      assert.notDeepEqual(judge(sessionOf(exchanges.slice(0, 5)))[0]?.lacks, [], 'not before')
    })
})

describe('a client is recognised', () => {
  const cases: { name: string; asks: Exchange[]; want: string[] }[] = [
    { name: 'CirrOS', asks: [get('/2009-04-04/meta-data/instance-id', 'curl/7.68.0')], want: ['CirrOS'] },
    { name: 'afterburn', asks: [get('/latest/meta-data/public-keys')], want: ['afterburn'] },
    { name: 'Ignition', asks: [get('/openstack/latest/user_data', 'Ignition/2.19.0')], want: ['Ignition'] },
    {
      name: 'cloudbase-init',
      asks: [get('/openstack/latest/meta_data.json', 'python-requests/2.31.0')],
      want: ['cloudbase-init'],
    },
    { name: 'Talos', asks: [get('/openstack/latest/network_data.json', 'Go-http-client/1.1')], want: ['Talos'] },
    { name: 'NixOS', asks: [get('/1.0/meta-data/ami-manifest-path', 'Wget/1.21')], want: ['NixOS'] },
    { name: 'the SDK of AWS', asks: [get('/latest/meta-data/iam/security-credentials')], want: ['AWS SDK'] },
    {
      name: 'beside another in one guest',
      asks: [get('/openstack/latest/user_data', 'Ignition/2.19.0'), get('/latest/meta-data/public-keys')],
      want: ['Ignition', 'afterburn'],
    },
    { name: 'not in a person who looks around', asks: [get('/openstack/latest', 'curl/8.5.0')], want: [] },
    { name: 'not by a name alone', asks: [get('/', 'Cloud-Init/26.2')], want: [] },
  ]
  for (const { name, asks, want } of cases) it(name, () => assert.deepEqual(namesOf(sessionOf(asks)), want))
})

describe('the verdict', () => {
  const AGENT = 'Ignition/2.19.0'
  const userData = (changes: Partial<Exchange>) => get('/openstack/latest/user_data', AGENT, changes)
  const cases: { name: string; asks: Exchange[]; want: string[] }[] = [
    { name: 'is good with the document', asks: [userData({})], want: [] },
    { name: 'is good with a true 404', asks: [userData({ status: 404 })], want: [] },
    { name: 'is bad with a false 404', asks: [userData({ status: 404, isWhole: false })], want: ['user_data'] },
    { name: 'is bad with a 503', asks: [userData({ status: 503 })], want: ['user_data'] },
    { name: 'is bad with half of it', asks: [userData({ isWhole: false })], want: ['user_data'] },
    { name: 'is bad without an answer', asks: [userData({ status: null, isWhole: false })], want: ['user_data'] },
    { name: 'follows the last try', asks: [userData({ status: 503 }), userData({})], want: [] },
    { name: 'follows the last try, down too', asks: [userData({}), userData({ status: 503 })], want: ['user_data'] },
    {
      name: 'counts what was asked beyond the needs',
      asks: [userData({}), get('/openstack/latest/meta_data.json', AGENT, { status: 500 })],
      want: ['/openstack/latest/meta_data.json'],
    },
    {
      name: 'leaves the trouble of other programs to them',
      asks: [userData({}), get('/openstack/latest/meta_data.json', 'curl/8.5.0', { status: 500 })],
      want: [],
    },
  ]
  for (const { name, asks, want } of cases)
    it(name, () =>
      assert.deepEqual(
        judge(sessionOf(asks))[0]?.lacks.map(({ what }) => what),
        want,
      ),
    )

  it('is bad when a mandatory document is 404, be it true', () => {
    const session = sessionOf([get('/openstack/2018-08-27/meta_data.json', 'Cloud-Init/26.2', { status: 404 })])
    assert.equal(judge(session)[0]?.lacks[0]?.last?.status, 404)
  })
})
