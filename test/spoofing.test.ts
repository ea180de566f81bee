import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { signature } from '../src/metadata-agent/signed-upstream.ts'
import { GUESTS, type HostileChain, NETWORK, OTHER_NETWORK, openHostileChain, SECRET } from './support/hostile-chain.ts'
import { exchangeRaw, type Peer } from './support/raw-http.ts'

/** What a guest could want to be taken for. */
const { own, neighbour, elsewhere } = GUESTS

/** Every header that says somewhere on the way who asks, with what a guest would put into it. */
const FORGED: readonly (readonly [name: string, value: string])[] = [
  ['X-Forwarded-For', neighbour.address],
  ['Forwarded', `for=${neighbour.address}`],
  ['X-Real-IP', neighbour.address],
  ['X-Neutron-Network-ID', OTHER_NETWORK],
  ['X-Neutron-Router-ID', OTHER_NETWORK],
  ['X-OVN-Network-ID', OTHER_NETWORK],
  ['X-Instance-ID', neighbour.instance],
  ['X-Instance-ID-Signature', signature(neighbour.instance, SECRET)],
  ['X-Tenant-ID', neighbour.project],
  ['X-Project-ID', neighbour.project],
  ['X-Metadata-Provider', 'provider'],
  ['X-Metadata-Provider-Signature', signature('provider', SECRET)],
]

/** Header lines of a request, in which a name and a value stand in one way or another. */
const SPELLINGS: Readonly<Record<string, (name: string, value: string) => string>> = {
  'as documented': (name, value) => `${name}: ${value}\r\n`,
  'in lower case': (name, value) => `${name.toLowerCase()}: ${value}\r\n`,
  'in upper case': (name, value) => `${name.toUpperCase()}: ${value}\r\n`,
  'with underscores': (name, value) => `${name.replaceAll('-', '_')}: ${value}\r\n`,
  'with dots': (name, value) => `${name.replaceAll('-', '.')}: ${value}\r\n`,
  'without a blank': (name, value) => `${name}:${value}\r\n`,
  'between tabs': (name, value) => `${name}:\t${value}\t\r\n`,
  twice: (name, value) => `${name}: ${value}\r\n${name}: ${value}\r\n`,
  'twice, once empty': (name, value) => `${name}:\r\n${name}: ${value}\r\n`,
  'twice, in two spellings': (name, value) =>
    `${name}: ${value}\r\n${name.toLowerCase().replaceAll('-', '_')}: ${value}\r\n`,
  empty: (name) => `${name}:\r\n`,
  'as the first of a list': (name, value) => `${name}: ${value}, ${own.address}\r\n`,
  'as the last of a list': (name, value) => `${name}: ${own.address}, ${value}\r\n`,
  'with a comma at the end': (name, value) => `${name}: ${value},\r\n`,
  'with a blank before the colon': (name, value) => `${name} : ${value}\r\n`,
  'with a tab before the colon': (name, value) => `${name}\t: ${value}\r\n`,
  'with a zero before the colon': (name, value) => `${name}\0: ${value}\r\n`,
  'behind a blank': (name, value) => ` ${name}: ${value}\r\n`,
  'folded before its value': (name, value) => `${name}:\r\n ${value}\r\n`,
  'folded behind its value': (name, value) => `${name}: ${value}\r\n ,${value}\r\n`,
  'in the fold of another': (name, value) => `A: b\r\n\t${name}: ${value}\r\n`,
  'behind a bare line feed': (name, value) => `A: b\n${name}: ${value}\r\n`,
  'behind a bare carriage return': (name, value) => `A: b\r${name}: ${value}\r\n`,
  'as a matter of the connection': (name, value) => `Connection: ${name}\r\n${name}: ${value}\r\n`,
  'with ours as a matter of the connection': (name, value) =>
    `Connection: X-Forwarded-For, X-Neutron-Network-ID, X-Instance-ID\r\n${name}: ${value}\r\n`,
  'in front of 3000 others': (name, value) => `${name}: ${value}\r\n${'a:\r\n'.repeat(3000)}`,
  'among the trailers': (name, value) => `Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n${name}: ${value}\r\n`,
}

describe('a forged header never passes', () => {
  let chain: HostileChain
  before(async () => {
    chain = await openHostileChain()
  })
  after(() => chain?.close())

  const WAYS: Readonly<Record<string, { peer: () => Peer; stamp: string; isHop: (name: string) => boolean }>> = {
    'our proxy': { peer: () => chain.proxyPort, stamp: '', isHop: () => false },
    haproxy: { peer: () => chain.haproxyPort, stamp: '', isHop: () => false },
    // Whoever reaches the socket is a proxy: of him we believe where a request comes from, and nothing else.
    'the agent’s socket': {
      peer: () => chain.agentSocket,
      stamp: `X-Neutron-Network-ID: ${NETWORK}\r\nX-Forwarded-For: ${own.address}\r\n`,
      isHop: (name) => /^X-(Forwarded-For|Neutron-.*)$/.test(name),
    },
  }
  for (const [way, { peer, stamp, isHop }] of Object.entries(WAYS))
    for (const [how, spell] of Object.entries(SPELLINGS))
      it(`through ${way}, ${how}`, async () => {
        const at = peer()
        for (const [name, value] of FORGED) {
          if (isHop(name)) continue
          chain.told.length = 0
          const request = `POST /x HTTP/1.1\r\nHost: x\r\n${stamp}${spell(name, value)}\r\n`
          const status = await statusOf(at, request)
          assert.match(status, /^(200|4\d\d)$/, `${name} comes to ${status}`)
          assert.equal(chain.told.length, status === '200' ? 1 : 0, `${name}: ${status}`)
          for (const { headers } of chain.told) {
            const { 'x-instance-id': instance, 'x-tenant-id': project, 'x-forwarded-for': address } = headers
            assert.deepEqual(
              { instance, project, address },
              { instance: own.instance, project: own.project, address: own.address },
              name,
            )
            assert.equal(headers['x-instance-id-signature'], signature(own.instance, SECRET))
            for (const each of Object.keys(headers)) assert.match(each, ALLOWED)
            assert.ok(!Object.values(headers).includes(value), `${name} has passed`)
          }
        }
      })

  const CONTRADICTIONS: Readonly<Record<string, string>> = {
    'two networks': `X-Neutron-Network-ID: ${NETWORK}\r\nX-Neutron-Network-ID: ${elsewhere.network}\r\n`,
    'the same network twice': `X-Neutron-Network-ID: ${NETWORK}\r\nX-Neutron-Network-ID: ${NETWORK}\r\n`,
    'a network and a router': `X-Neutron-Network-ID: ${NETWORK}\r\nX-Neutron-Router-ID: ${NETWORK}\r\n`,
    'neither network nor router': '',
    'only an empty network': 'X-Neutron-Network-ID:\r\n',
  }
  for (const [what, lines] of Object.entries(CONTRADICTIONS))
    it(`the agent refuses a proxy that names ${what}`, async () => {
      const request = `GET /x HTTP/1.1\r\n${lines}X-Forwarded-For: ${own.address}\r\n\r\n`
      assert.equal(await statusOf(chain.agentSocket, request), '400')
    })

  it('the agent sees the proxy’s own word behind a guest’s, or refuses', async () => {
    for (const count of [10, 252, 253, 254, 255, 256, 1000, 1997, 1998, 1999, 2000]) {
      chain.told.length = 0
      const request = `GET /x HTTP/1.1\r\nX-Forwarded-For: ${neighbour.address}\r\n${'a:\r\n'.repeat(count)}X-Neutron-Network-ID: ${NETWORK}\r\nX-Forwarded-For: ${own.address}\r\n\r\n`
      assert.match(await statusOf(chain.agentSocket, request), count <= 253 ? /^200$/ : /^4(00|31)$/, `behind ${count}`)
      assert.equal(chain.told[0]?.headers['x-instance-id'], count <= 253 ? own.instance : undefined)
    }
  })

  const ORIGINS: readonly (readonly [address: string, status: string])[] = [
    ['', '400'],
    ['nobody', '400'],
    [`${own.address}:80`, '400'],
    [`${own.address},`, '400'],
    ['fe80::1%eth0', '400'],
    ['2130706443', '400'],
    ['127.0.0.99', '404'],
    [`::ffff:${own.address}`, '200'],
    [`${neighbour.address}, ${own.address}`, '200'],
  ]
  for (const [address, status] of ORIGINS)
    it(`the agent answers a proxy that says ${address || 'nothing'} with ${status}`, async () => {
      const request = `GET /x HTTP/1.1\r\nX-Neutron-Network-ID: ${NETWORK}\r\nX-Forwarded-For: ${address}\r\n\r\n`
      assert.equal(await statusOf(chain.agentSocket, request), status)
    })
})

/** All the metadata API hears, the library's own included. */
const ALLOWED =
  /^(host|connection|accept|content-type|user-agent|content-length|transfer-encoding|x-forwarded-for|x-forwarded-by-guest|x-instance-id|x-instance-id-signature|x-tenant-id|x-request-id|x-aws-ec2-metadata-token|x-aws-ec2-metadata-token-ttl-seconds)$/

/** As our own guest, who then hangs up. */
async function statusOf(peer: Peer, request: string): Promise<string> {
  const answer = await exchangeRaw(peer, request, { from: own.address, isFirstOnly: true })
  return /^HTTP\/1\.\d (\d{3}) /.exec(answer)?.[1] ?? `no answer: ${answer}`
}
