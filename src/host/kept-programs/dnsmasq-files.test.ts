import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { IpAddress, MacAddress } from '../../inventory/records/address.ts'
import type { Dnsmasq } from '../namespace.ts'
import { hasStaleLeases, initialLeaseFile, writeDnsmasqFiles } from './dnsmasq-files.ts'

const root = mkdtempSync(join(tmpdir(), 'firstboot-dnsmasq-'))
after(() => rmSync(root, { recursive: true }))

function dnsmasq(directory: string, fields: Partial<Dnsmasq> = {}): Dnsmasq {
  return {
    kind: 'dnsmasq',
    directory,
    arguments: [],
    files: { host: 'h\n', addn_hosts: 'a\n', opts: 'o' },
    initialLeases: [
      { mac: 'fa:16:3e:00:00:07' as MacAddress, address: '10.0.0.7' as IpAddress, name: 'host-10-0-0-7' },
    ],
    leaseDuration: 86_400,
    ...fields,
  }
}

test('leases of the first start last from now, or for ever', () => {
  const line = 'fa:16:3e:00:00:07 10.0.0.7 host-10-0-0-7 *\n'
  assert.equal(initialLeaseFile(dnsmasq('/x'), 1000), `87400 ${line}`)
  assert.equal(initialLeaseFile(dnsmasq('/x', { leaseDuration: -1 }), 1000), `0 ${line}`)
})

test('files are written for every user to read, and a lease file is never touched again', () => {
  const directory = join(root, 'dhcp', 'network')
  writeDnsmasqFiles(dnsmasq(directory), 1000, true)
  writeFileSync(join(directory, 'leases'), 'what dnsmasq knows')
  writeDnsmasqFiles(dnsmasq(directory, { files: { host: 'new\n', addn_hosts: 'a\n', opts: 'o' } }), 2000, false)
  const read = (name: string) => readFileSync(join(directory, name), 'utf8')
  assert.deepEqual(['host', 'addn_hosts', 'opts', 'leases'].map(read), ['new\n', 'a\n', 'o', 'what dnsmasq knows'])
  assert.equal(statSync(join(directory, 'host')).mode & 0o777, 0o644)
})

test('a directory that cannot be written is named', () => {
  writeFileSync(join(root, 'file'), '')
  assert.throws(() => writeDnsmasqFiles(dnsmasq(join(root, 'file', 'network')), 0, true), {
    name: 'HostError',
    message: new RegExp(`writing dnsmasq's files in ${root}/file/network: `),
  })
})

test('a lease of somebody who has the address no more is stale, and goes before the next start', () => {
  const directory = join(root, 'dhcp', 'stale')
  const kept = '1000 fa:16:3e:00:00:07 10.0.0.7 host-10-0-0-7 *\n'
  const reserving = dnsmasq(directory, {
    files: { host: 'fa:16:3e:00:00:07,host-10-0-0-7,10.0.0.7\n', addn_hosts: '', opts: '' },
  })
  writeDnsmasqFiles(reserving, 0, true)
  writeFileSync(join(directory, 'leases'), `${kept}1000 fa:16:3e:00:00:08 10.0.0.8 host-10-0-0-8 *\n`)
  assert.ok(hasStaleLeases(reserving))
  writeDnsmasqFiles(reserving, 0, true)
  assert.equal(readFileSync(join(directory, 'leases'), 'utf8'), kept)
  assert.ok(!hasStaleLeases(reserving))
})
