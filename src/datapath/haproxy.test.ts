import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { Listener } from '../host/namespace.ts'
import type { NetworkId } from '../inventory/records/ids.ts'
import { haproxyText, type RateLimit } from './haproxy.ts'
import { METADATA_IPV4, METADATA_IPV6 } from './metadata-address.ts'

const GOLDEN = new URL('../../test/golden/neutron/', import.meta.url)
const socket = '<NT_DIR>/run/metadata_proxy'

/** The addresses the DHCP agent has on each network, and their device. */
function listenersOf(id: string, device: string): readonly Listener[] {
  const stamp = { networkId: id as NetworkId }
  return [
    { address: METADATA_IPV4, port: 80, device: null, stamp },
    { address: METADATA_IPV6, port: 80, device, stamp },
  ]
}

for (const name of ['iso', 'nogw', 'iso6'])
  test(`${name}: the DHCP agent’s haproxy.conf, but for what is named`, () => {
    const golden = readFileSync(new URL(`${name}/haproxy.conf`, GOLDEN), 'utf8')
    const id = /log-tag +haproxy-metadata-proxy-(\S+)/.exec(golden)?.[1] ?? assert.fail()
    const device = /interface (\S+)/.exec(golden)?.[1] ?? assert.fail()
    const ours = haproxyText(id, listenersOf(id, device), { metadataProxySocket: socket, rateLimit: null })
    const expected = golden
      .replace(/^ +(pidfile|daemon).*\n/gm, '')
      .replace('bind fe80::a9fe:a9fe:80', 'bind [fe80::a9fe:a9fe]:80')
      .replace(`${socket}\n`, `${socket}\n    http-request del-header X-Forwarded-For\n`)
    assert.equal(ours.trim(), expected.trim())
  })

test('a limit: both tables are tracked, and more than either allows is 429', () => {
  const rateLimit: RateLimit = { ipVersion: 6, baseWindow: 60, baseLimit: 100, burstWindow: 5, burstLimit: 40 }
  const text = haproxyText('n', listenersOf('n', 'ns-1'), { metadataProxySocket: socket, rateLimit })
  assert.match(
    text,
    /backend base_rate_limiter\n +stick-table type ipv6 size 10k expire 60s store http_req_rate\(60s\)/,
  )
  assert.match(
    text,
    /backend burst_rate_limiter\n +stick-table type ipv6 size 10k expire 60s store http_req_rate\(5s\)/,
  )
  assert.match(text, /track-sc0 src table base_rate_limiter\n.*track-sc1 src table burst_rate_limiter/)
  assert.match(text, /429 if \{ sc_http_req_rate\(0\) gt 100 \}\n.*429 if \{ sc_http_req_rate\(1\) gt 40 \}/)
})
