import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { createAuthority } from '../../test/ovsdb/certificates.ts'
import { endServers, temporaryDirectory } from '../../test/ovsdb/ovsdb-server.ts'
import { whyFailed, whyUnusable } from './tls-material.ts'

const authority = createAuthority(temporaryDirectory(), 'ours')
const [good, other] = [authority.issue('chassis-1'), authority.issue('chassis-2')]
after(endServers)

describe('what is wrong with a key, certificate and authorities', () => {
  const cases = [
    { name: 'nothing', given: good, want: undefined },
    { name: 'nothing, as text', given: { ...good, key: String(good.key), ca: String(good.ca) }, want: undefined },
    { name: 'an empty key', given: { ...good, key: '' }, want: 'the private key is none in PEM' },
    { name: 'a certificate for a key', given: { ...good, key: good.cert }, want: 'the private key is none in PEM' },
    { name: 'a key for a certificate', given: { ...good, cert: good.key }, want: 'the certificate is none in PEM' },
    { name: 'no authorities', given: { ...good, ca: '\n' }, want: 'the authorities’ certificates are none in PEM' },
    {
      name: 'half a renewal',
      given: { ...good, cert: other.cert },
      want: 'the private key is not that of the certificate',
    },
  ]
  for (const { name, given, want } of cases) it(name, () => assert.equal(whyUnusable(given), want))
})

describe('why a connection failed', () => {
  const alert = (words: string, number: number) =>
    `40AD0CBEDE7F0000:error:0A000418:SSL routines:ssl3_read_bytes:${words}:../deps/openssl/ssl/rec_layer_s3.c:918:SSL alert number ${number}\n`
  const cases = [
    {
      given: alert('tlsv1 alert unknown ca', 48),
      want: 'the server does not accept our certificate (unknown ca)',
    },
    {
      given: alert('ssl/tls alert certificate expired', 45),
      want: 'the server does not accept our certificate (certificate expired)',
    },
    { given: alert('tlsv1 alert internal error', 80), want: alert('tlsv1 alert internal error', 80).trim() },
    { given: 'read ECONNRESET', want: 'read ECONNRESET' },
  ]
  for (const { given, want } of cases) it(given.slice(0, 90), () => assert.equal(whyFailed(new Error(given)), want))

  it('leaves the address to whoever tells it', () => {
    const refused = Object.assign(new Error('connect ENOENT /run/sb'), { code: 'ENOENT', syscall: 'connect' })
    assert.equal(whyFailed(refused), 'connect ENOENT')
    assert.equal(whyFailed(Object.assign(new AggregateError([refused]), { code: 'ECONNREFUSED' })), 'ECONNREFUSED')
  })
})
