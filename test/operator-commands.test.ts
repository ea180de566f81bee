import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { constants, generateKeyPairSync, publicEncrypt } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { openSqliteStore } from '../src/inventory/sql/sqlite.ts'
import { firstboot } from './support/daemon.ts'

/** What an operator sees of guests, by the commands as they are typed. */
const folder = mkdtempSync(join(tmpdir(), 'firstboot-operator-'))
const state = join(folder, 'state')
after(() => rmSync(folder, { recursive: true, force: true }))

function file(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

function run(...args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  const [program, ...words] = firstboot(...args, ...(args.includes('-s') ? [] : ['--state-dir', state]))
  return new Promise((resolve) => {
    execFile(program, words, { env: { PATH: process.env['PATH'] } }, (error, out, err) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err }),
    )
  })
}

const INVENTORY = `
projects: [{name: p, metadata_tokens: required}]
networks: [{name: n, subnets: [{cidr: 10.0.0.0/24, advanced_service_providers: [lb-1]}]}]
routers: [{name: r1, interfaces: [10.0.0.0/24]}]
servers: [{name: win-1, metadata: {a: b}, hypervisor: namespace, networks: [{network: n, fixed_ip: 10.0.0.7}]}]
`
before(async () => {
  const { code, err } = await run('apply', '-f', file('inventory.yaml', INVENTORY))
  assert.equal(code, 0, err)
})

/** As the guest would, by way of the store. */
async function postPassword(text: string): Promise<void> {
  const store = await openSqliteStore(join(state, 'inventory.sqlite'))
  const { records, sequence } = await store.load()
  const [server] = records.server.values()
  if (server === undefined) assert.fail('no server')
  await store.commit([{ op: 'put', noun: 'server', record: { ...server, password: text } }], sequence)
  await store.close()
}

describe('firstboot password', () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const key = file('key.pem', privateKey.export({ type: 'pkcs1', format: 'pem' }).toString())
  const posted = publicEncrypt(
    { key: publicKey, padding: constants.RSA_PKCS1_PADDING },
    Buffer.from('Adm1n!'),
  ).toString('base64')

  it('says that there is none, prints one, decrypts it, and forgets it', async () => {
    assert.deepEqual(await run('password', 'win-1'), {
      code: 1,
      out: '',
      err: 'win-1 has posted no password yet.\n',
    })
    await postPassword(posted)
    assert.deepEqual(await run('password', 'win-1'), { code: 0, out: `${posted}\n`, err: '' })
    assert.deepEqual(await run('password', 'win-1', '--private-key', key), { code: 0, out: 'Adm1n!\n', err: '' })
    assert.equal((await run('password', 'win-1', '--reset')).code, 0)
    assert.equal((await run('password', 'win-1')).code, 1)
    assert.equal((await run('password', 'win-1', '--reset')).code, 0, 'also when there is none')
  })

  it('refuses what it cannot do', async () => {
    await postPassword('plain')
    const { code, err } = await run('password', 'win-1', '--private-key', key)
    assert.equal(code, 2)
    assert.match(err, /another key's, or not encrypted/)
    assert.equal((await run('password', 'win-1', '--private-key', key, '--reset')).code, 2)
    const missing = await run('password', 'win-1', '--private-key', join(folder, 'missing.pem'))
    assert.equal(missing.code, 1)
    assert.match(missing.err, /--private-key: \S+missing\.pem does not exist$/m)
  })
})

describe('firstboot vendor-data', () => {
  const target = createServer((asked, answer) => {
    if (asked.url === '/broken') answer.writeHead(500).end()
    else answer.end('{"2": "two", "1": "one"}')
  })
  let at = ''
  before(async () => {
    target.listen(0, '127.0.0.1')
    await once(target, 'listening')
    at = `http://127.0.0.1:${(target.address() as AddressInfo).port}`
  })
  after(() => target.close())

  const both = ['--vendordata-providers', 'StaticJSON,DynamicJSON']
  const targets = (...rows: string[]) => ['--vendordata-dynamic-targets', rows.join(',')]

  it('shows what each target answers and what the guest reads', async () => {
    const rows = [`site@${at}/?token=secret`, `static@${at}/`, `bad@${at}/broken`, 'nameless']
    const { code, out, err } = await run('vendor-data', 'win-1', ...both, ...targets(...rows))
    assert.equal(code, 1, 'one has failed')
    const lines = out.trimEnd().split('\n')
    assert.equal(lines.length, 4)
    assert.match(lines[1] ?? '', /^site +http\S+\/\?\.\.\. +200 +\d+ +24 +\{"2": "two", "1": "one"\}$/)
    assert.match(lines[2] ?? '', /^static .* 200 .* nothing/)
    assert.match(lines[3] ?? '', /^bad .* 500 +\d+ +0 +\{\} \(it answered 500\)$/)
    assert.match(err, /^nameless is skipped: it has no name/)
    assert.ok(!out.includes('secret'))
  })

  it('prints it for programs', async () => {
    const { code, out } = await run('vendor-data', 'win-1', '--json', ...both, ...targets(`site@${at}/`))
    assert.equal(code, 0)
    const [row] = JSON.parse(out)
    assert.deepEqual([row.target, row.status, row.error, row.guest_reads], ['site', 200, null, { 1: 'one', 2: 'two' }])
  })

  it('says what is missing', async () => {
    assert.match((await run('vendor-data', 'win-1')).err, /there is no target.*--vendordata-dynamic-targets/)
    assert.match((await run('vendor-data', 'win-1', ...targets(`a@${at}/`))).err, /DynamicJSON is not in/)
    const fatal = ['--vendordata-dynamic-failure-fatal', ...both, ...targets(`a@${at}/broken`)]
    assert.match((await run('vendor-data', 'win-1', ...fatal)).err, /gets an error/)
  })

  it('is what firstboot render shows, in a project that requires session tokens too', async () => {
    const { code, out } = await run(
      'render',
      'win-1',
      '/openstack/latest/vendor_data2.json',
      ...both,
      ...targets(`site@${at}/`),
    )
    assert.deepEqual([code, out], [0, '{"static": {}, "site": {"2": "two", "1": "one"}}'])
  })

  it('is not asked for with a file of authorities that is not there', async () => {
    const { code, err } = await run(
      'render',
      'win-1',
      ...targets(`site@${at}/`),
      '--vendordata-dynamic-ssl-certfile',
      join(folder, 'missing.pem'),
    )
    assert.equal(code, 1)
    assert.match(err, /vendordata_dynamic_ssl_certfile: .*missing\.pem cannot be read/)
  })
})

describe('firstboot apply', () => {
  const inventory = file('again.yaml', INVENTORY)

  it('takes the file by its name alone, and says where it went', async () => {
    const other = join(folder, 'other')
    const { code, out } = await run('apply', inventory, '--dry-run', '-s', other)
    assert.equal(code, 0)
    assert.ok(out.endsWith(`\nNothing was changed in ${other} (--dry-run).\n`), out)
    assert.ok(!existsSync(other), 'not even an empty inventory')
    assert.ok((await run('apply', inventory, '-s', other)).out.endsWith(`\nApplied to ${other}.\n`))
    assert.equal((await run('apply', inventory, '-s', other)).out.split('\n').at(-2), `Nothing to change in ${other}.`)
  })

  it('takes one file', async () => {
    const { code, err } = await run('apply', '-f', inventory, 'other.yaml')
    assert.equal(code, 2)
    assert.match(err, /one file at a time: ".*again\.yaml" or "other\.yaml"/)
  })
})

describe('firstboot console', () => {
  it('does not wait for a guest that nobody started', async () => {
    const { code, err } = await run('console', 'win-1')
    assert.equal(code, 2)
    assert.match(err, /win-1 has not been started: is firstboot up running on /)
  })
})

describe('firstboot show', () => {
  it('tells ports and subnets apart in a line each, and of a port by its address', async () => {
    const port = /^ports +id +network +mac +fixed IPs\n +\S+ +n +fa:16:3e\S+ +10\.0\.0\.7$/m
    assert.match((await run('show', 'win-1')).out, port)
    assert.match((await run('show', 'router', 'r1')).out, /^interfaces +id .*\n +\S+ +n +fa:16:3e\S+ +10\.0\.0\.1$/m)
    assert.match((await run('show', 'network', 'n')).out, /^subnets +id +cidr .*\n +\S+ +10\.0\.0\.0\/24 /m)
    const [shown] = JSON.parse((await run('show', 'router', 'r1', '--json')).out).interfaces
    const byAddress = JSON.parse((await run('show', 'port', '10.0.0.1', '--json')).out)
    assert.deepEqual(shown, byAddress)
    assert.equal(byAddress.device_owner, 'network:router_interface')
    assert.match((await run('show', 'port', '10.0.0.99')).err, /there is no port 10\.0\.0\.99/)
  })

  it('shows who may ask, and how', async () => {
    assert.match((await run('show', 'subnet', '10.0.0.0/24')).out, /^advanced_service_providers +lb-1$/m)
    assert.match((await run('show', 'project', 'p')).out, /^metadata_tokens +required$/m)
  })
})
