import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { tlsOf } from './tls.ts'

const directory = mkdtempSync(join(tmpdir(), 'firstboot-tls-'))
after(() => rmSync(directory, { recursive: true }))
const file = (name: string) => {
  writeFileSync(join(directory, name), name)
  return join(directory, name)
}
const all = { ovn_sb_private_key: file('key'), ovn_sb_certificate: file('cert'), ovn_sb_ca_cert: file('ca') }

describe('TLS material of a database', () => {
  it('is read anew for each connection', async () => {
    const { tls } = tlsOf('ovn_sb', all)
    assert.deepEqual(await tls?.(), { key: 'key', cert: 'cert', ca: 'ca' })
    writeFileSync(all.ovn_sb_certificate, 'renewed')
    assert.equal((await tls?.())?.cert, 'renewed')
  })

  it('is none where no file is named', () =>
    assert.deepEqual(tlsOf('ovn_sb', { ovn_sb_private_key: '', ovn_sb_certificate: '', ovn_sb_ca_cert: '' }), {}))

  const troubles = [
    { path: '', want: /^ovn_sb_ca_cert is not set, and ssl takes all three/ },
    { path: directory, want: /^ovn_sb_ca_cert: \S+ is a directory; a file is wanted here$/ },
    { path: join(directory, 'nowhere'), want: /^ovn_sb_ca_cert: \S+\/nowhere does not exist$/ },
  ]
  for (const { path, want } of troubles)
    it(`says of ${path === '' ? 'no' : path} authorities what is wrong`, async () => {
      const { tls } = tlsOf('ovn_sb', { ...all, ovn_sb_ca_cert: path })
      await assert.rejects(
        async () => tls?.(),
        (error: Error) => want.test(error.message),
      )
    })
})
