import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { eventually } from '../support/eventually.ts'
import { askAs } from './ask.ts'
import { bootFromOpenstack, newest } from './cloud-init.ts'
import { INVENTORY, runServe, type ServeProcess, startServe, startServeForAll } from './serve-process.ts'

const IDS = { 'web-1': '11111111-1111-4111-8111-111111111111', 'bare-1': '33333333-3333-4333-8333-333333333333' }

/** As a user at a shell. */
function curl(port: number, path: string, ...options: string[]) {
  const args = ['--silent', '--show-error', '--max-time', '5', ...options, `http://127.0.0.1:${port}${path}`]
  const { status, stdout } = spawnSync('curl', args, { encoding: 'utf8' })
  return { code: status, body: stdout }
}

function uuidOf(port: number, ...options: string[]): string | undefined {
  const { body } = curl(port, '/openstack/latest/meta_data.json', ...options)
  return body.startsWith('{') ? JSON.parse(body).uuid : undefined
}

describe('firstboot serve', () => {
  it('tells guests apart by their addresses', async () => {
    const serve = await startServe('--guest', '127.0.0.2=web-1', '--guest', `127.0.0.3=${IDS['bare-1']}`)
    assert.equal(uuidOf(serve.port, '--interface', '127.0.0.2'), IDS['web-1'])
    assert.equal(uuidOf(serve.port, '--interface', '127.0.0.3'), IDS['bare-1'])
    assert.equal(uuidOf(serve.port, '--interface', '127.0.0.4'), undefined)
    await serve.stop()
    for (const told of ['  from 10.9.0.11: web-1', '  from 127.0.0.2: web-1', '  anybody else: 404'])
      assert.ok(serve.said.includes(told), told)
    assert.match(serve.printed.join('\n'), /127\.0\.0\.4 is no server’s address .*\n.*--guest 127\.0\.0\.4=SERVER/)
  })

  it('takes everybody for one server with --as, but for the guests that are named', async () => {
    const serve = await startServe('--as', 'web-1', '--guest', '127.0.0.3=bare-1')
    assert.equal(uuidOf(serve.port), IDS['web-1'])
    assert.equal(uuidOf(serve.port, '--interface', '127.0.0.3'), IDS['bare-1'])
    await serve.stop()
  })

  it('believes X-Instance-ID with --by-header alone', async () => {
    const claim = (server: string) => ['--header', `X-Instance-ID: ${server}`]
    const gullible = await startServe('--as', 'web-1', '--by-header')
    assert.equal(uuidOf(gullible.port, ...claim(IDS['bare-1'])), IDS['bare-1'])
    assert.equal(uuidOf(gullible.port, ...claim('bare-1')), IDS['bare-1'])
    assert.equal(uuidOf(gullible.port, ...claim('nobody')), undefined)
    assert.equal(uuidOf(gullible.port), IDS['web-1'])
    await gullible.stop()
    const plain = await startServe('--as', 'web-1')
    assert.equal(uuidOf(plain.port, ...claim('bare-1')), IDS['web-1'])
    await plain.stop()
  })

  it('takes everybody for the only server of a file', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'firstboot-serve-'))
    const file = join(directory, 'one.yaml')
    writeFileSync(
      file,
      'networks: [{ name: n, subnets: [{ name: n, cidr: 10.0.0.0/24 }] }]\nservers: [{ name: alone, networks: [{ network: n }] }]\n',
    )
    const serve = await startServe('-f', file)
    assert.equal(curl(serve.port, '/latest/meta-data/hostname').body, 'alone.novalocal')
    await serve.stop()
    rmSync(directory, { recursive: true })
  })

  it('listens in several places', async () => {
    const serve = await startServe('--as', 'web-1', '--listen', '127.0.0.9:0')
    const second = Number(/http:\/\/127\.0\.0\.9:(\d+)/.exec(serve.said.join('\n'))?.[1])
    const { stdout } = spawnSync('curl', ['-s', `http://127.0.0.9:${second}/latest/meta-data/local-ipv4`], {
      encoding: 'utf8',
    })
    assert.equal(stdout, '10.9.0.11')
    await serve.stop()
  })

  it('prints each request as it comes, without colours where nobody watches', async () => {
    const serve = await startServe('--as', 'web-1')
    curl(serve.port, '/openstack/latest/user_data', '--user-agent', 'Ignition/2.19.0')
    await eventually('the request is printed', () => serve.printed.length === 1)
    assert.match(
      serve.printed[0] ?? '',
      /^ +\d+\.\d\ds {2}web-1 +Ignition 2\.19\.0 +GET \/openstack\/latest\/user_data {2}200 {2}30 bytes {2}\d+\.\d ms$/,
    )
    assert.equal(await serve.stop(), 0)
    assert.equal(serve.printed.at(-1), 'web-1: Ignition 2.19.0 has everything it needs (one request).')
  })

  it('prints JSON lines with --json', async () => {
    const serve = await startServe('--as', 'web-1', '--json', '--fault', '/openstack:status=503')
    curl(serve.port, '/openstack?x=1', '--user-agent', 'Cloud-Init/26.2')
    await serve.stop()
    const [request, verdict] = serve.printed.map((line) => JSON.parse(line))
    const { time, milliseconds, ...facts } = request
    assert.ok(!Number.isNaN(Date.parse(time)) && milliseconds >= 0)
    assert.deepEqual(facts, {
      server: 'web-1',
      address: '127.0.0.1',
      client: 'cloud-init (OpenStack)',
      version: '26.2',
      user_agent: 'Cloud-Init/26.2',
      method: 'GET',
      target: '/openstack?x=1',
      status: 503,
      bytes: 180,
      whole: false,
      fault: '/openstack:status=503',
    })
    assert.equal(verdict.verdict, 'incomplete')
    assert.deepEqual(verdict.lacks.at(-1), { what: '/openstack', why: 'the last answer was 503' })
  })

  it('says so when the client is none it knows', async () => {
    const serve = await startServe('--as', 'web-1')
    curl(serve.port, '/openstack/latest', '--user-agent', 'mine/1.0 (test)')
    assert.equal(await serve.stop(), 0)
    assert.equal(serve.printed.at(-1), 'web-1: no client that is known here has asked (one request: mine/1.0).')
  })
})

describe('firstboot serve --fault', () => {
  let serve: ServeProcess
  const faults = [
    '/latest/meta-data/hostname:delay=300ms',
    '/latest/meta-data/instance-id:status=418',
    '/latest/meta-data/local-ipv4:reset',
    '/latest/meta-data/instance-type:truncate',
    '/latest/meta-data/public-hostname:truncate=2',
    '/latest/meta-data/local-hostname:length=-6',
    '/latest/meta-data/reservation-id:length=+6',
    '/latest/user-data:missing',
    '/openstack/*/user_data:status=503:first=1',
    '/openstack/*/meta_data.json:status=500:nth=2',
    '/2009-04-04/**:reset:every=2',
    '/openstack/latest/password:status=500:first=1',
  ]
  before(async () => {
    serve = await startServeForAll('--guest', '127.0.0.1=web-1', ...faults.flatMap((fault) => ['--fault', fault]))
  })
  after(() => serve.stop())

  const RESET = 56
  const PARTIAL = 18
  const cases: { name: string; path: string; options?: string[]; wantCode: number; wantBody: RegExp }[] = [
    { name: 'status', path: '/latest/meta-data/instance-id', wantCode: 0, wantBody: /418 I'm a Teapot/ },
    { name: 'reset', path: '/latest/meta-data/local-ipv4', wantCode: RESET, wantBody: /^$/ },
    { name: 'truncate, half', path: '/latest/meta-data/instance-type', wantCode: PARTIAL, wantBody: /^.{4}$/ },
    { name: 'truncate, bytes', path: '/latest/meta-data/public-hostname', wantCode: PARTIAL, wantBody: /^we$/ },
    { name: 'length too low', path: '/latest/meta-data/local-hostname', wantCode: 0, wantBody: /^web-1\.nov$/ },
    {
      name: 'length too high keeps the client waiting',
      path: '/latest/meta-data/reservation-id',
      options: ['--max-time', '1'],
      wantCode: 28,
      wantBody: /^r-\w{8}$/,
    },
    { name: 'missing', path: '/latest/user-data', wantCode: 0, wantBody: /404 Not Found/ },
    { name: 'nothing elsewhere', path: '/latest/meta-data/ami-launch-index', wantCode: 0, wantBody: /^0$/ },
  ]
  for (const { name, path, options = [], wantCode, wantBody } of cases)
    it(name, () => {
      const { code, body } = curl(serve.port, path, ...options)
      assert.equal(code, wantCode)
      assert.match(body, wantBody)
    })

  it('delay', () => {
    const { body } = curl(serve.port, '/latest/meta-data/hostname', '--write-out', ' %{time_total}')
    const [hostname, seconds] = body.split(' ')
    assert.equal(hostname, 'web-1.novalocal')
    assert.ok(Number(seconds) >= 0.3, body)
  })

  it('of the first request, counted for each guest', () => {
    const ask = (address: string) =>
      curl(serve.port, '/openstack/latest/user_data', '--interface', address, '--write-out', '%{http_code}').body.slice(
        -3,
      )
    assert.deepEqual(
      [ask('127.0.0.1'), ask('127.0.0.1'), ask('127.0.0.12'), ask('127.0.0.12')],
      ['503', '200', '503', '200'],
    )
  })

  it('of the second request alone', () => {
    const ask = () => uuidOf(serve.port) !== undefined
    assert.deepEqual([ask(), ask(), ask()], [true, false, true])
  })

  it('of every second request', () => {
    const ask = (path: string) => curl(serve.port, `/2009-04-04/${path}`).code
    assert.deepEqual(['meta-data/', 'meta-data/hostname', 'user-data', 'meta-data/'].map(ask), [0, RESET, 0, RESET])
  })

  it('in place of an answer has no effect on the record', () => {
    const post = () =>
      curl(serve.port, '/openstack/latest/password', '--data', 'c2VjcmV0', '--write-out', '%{http_code}').body.slice(-3)
    assert.deepEqual([post(), post(), post()], ['500', '200', '409'])
  })
})

describe('firstboot serve --until configured', () => {
  it('ends when the guest has what it needs', async () => {
    const serve = await startServeForAll(
      '--as',
      'web-1',
      '--guest',
      '127.0.0.11=web-1',
      '--until',
      'configured',
      '--timeout',
      '30',
    )
    // The other guests of --guest are awaited too.
    for (const server of ['web-1', 'packed-1', 'bare-1', 'equals-1'] as const)
      await bootFromOpenstack(askAs(serve, server, newest.agent), newest)
    assert.equal(await serve.ended, 0)
    assert.match(serve.printed.at(-1) ?? '', /equals-1: cloud-init \(OpenStack\) 26\.2 has everything it needs/)
  })

  it('ends in time with what is missing', async () => {
    const serve = await startServe('--as', 'web-1', '--until', 'configured', '--timeout', '1')
    curl(serve.port, '/openstack', '--user-agent', 'Cloud-Init/26.2')
    assert.equal(await serve.ended, 1)
    assert.deepEqual(serve.printed.slice(1, 4), [
      'web-1: cloud-init (OpenStack) 26.2 lacks:',
      '  meta_data.json: it has not asked for it',
      '  user_data: it has not asked for it',
    ])
  })

  it('fails for a guest that never asked', async () => {
    const serve = await startServe('--as', 'web-1', '--until', 'configured', '--timeout', '1')
    assert.equal(await serve.ended, 1)
    assert.deepEqual(serve.printed, ['web-1 has not asked for anything.'])
  })
})

describe('firstboot serve refuses', () => {
  const file = ['-f', INVENTORY]
  const cases: { name: string; options: string[]; want: RegExp; code?: number }[] = [
    { name: 'no file', options: [], want: /name the inventory file: firstboot serve -f FILE/ },
    { name: 'a file that is not there', options: ['-f', '/nowhere.yaml'], want: /there is no such file/, code: 1 },
    {
      name: 'an unknown server',
      options: [...file, '--as', 'wbe-1'],
      want: /there is no server wbe-1; did you mean "?web-1/,
    },
    {
      name: 'a guest without server',
      options: [...file, '--guest', '127.0.0.2'],
      want: /write ADDRESS=SERVER, such as/,
    },
    { name: 'a guest without address', options: [...file, '--guest', 'web-1=127.0.0.2'], want: /write ADDRESS=SERVER/ },
    {
      name: 'a place that is none',
      options: [...file, '--listen', 'localhost'],
      want: /write ADDRESS:PORT, \[IPv6\]:PORT or PORT/,
    },
    { name: 'a fault without path', options: [...file, '--fault', 'status=503'], want: /does not begin with a path/ },
    {
      name: 'a fault without action',
      options: [...file, '--fault', '/x:first=1'],
      want: /does not say what to do; add one of delay=2s/,
    },
    {
      name: 'a misspelt fault',
      options: [...file, '--fault', '/x:statsu=503'],
      want: /"statsu" is no fault; did you mean status=503/,
    },
    { name: 'an unknown flag', options: [...file, '--lisen', '1'], want: /did you mean "?--listen/ },
    {
      name: 'an address of another machine',
      options: [...file, '--listen', '192.0.2.1:8080'],
      want: /192\.0\.2\.1:8080\n.*does not have that address/,
      code: 1,
    },
  ]
  for (const { name, options, want, code: wantCode = 2 } of cases)
    it(name, async () => {
      const { code, said, printed } = await runServe(...options)
      assert.match(said, want)
      assert.equal(code, wantCode)
      assert.equal(printed, '')
    })

  it('a port in use', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await eventually('it listens', () => other.listening)
    const address = other.address()
    const port = typeof address === 'object' ? address?.port : undefined
    const { code, said } = await runServe(...file, '--listen', `127.0.0.1:${port}`)
    assert.match(said, new RegExp(`cannot listen on 127.0.0.1:${port}\n.*in use already`))
    assert.equal(code, 1)
    other.close()
  })
})
