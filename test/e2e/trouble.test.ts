import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { signature } from '../../src/metadata-agent/signed-upstream.ts'
import { firstboot, startDaemon } from '../support/daemon.ts'
import { eventually } from '../support/eventually.ts'
import { openTestMachine, type TestMachine } from '../support/test-machine.ts'

const LAB = fileURLToPath(new URL('../../examples/lab.yaml', import.meta.url))
/** Of the blue network in chain.yaml. */
const NETNS = 'qdhcp-11111111-1111-4111-8111-111111111111'
const CHAIN = fileURLToPath(new URL('chain.yaml', import.meta.url))

describe('trouble', () => {
  const directory = mkdtempSync(join(tmpdir(), 'firstboot-trouble-'))
  let machine: TestMachine
  before(async () => {
    machine = await openTestMachine()
  })
  after(async () => {
    await machine?.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  describe('firstboot up killed by SIGKILL', () => {
    const state = join(directory, 'killed')
    const start = () => startDaemon(machine, 'up', '-f', LAB, '--state-dir', state)
    const dnsmasqs = () => machine.run('pidof', 'dnsmasq').trim().split(' ').sort()
    const guest = (...command: string[]) =>
      machine.run(...firstboot('exec', '--state-dir', state, 'green-2', '--', ...command))
    const hostname = () => guest('curl', '-s', '--max-time', '10', 'http://169.254.169.254/latest/meta-data/hostname')
    const leases = () =>
      machine
        .run('sh', '-c', `cat ${state}/dhcp/*/leases`)
        .split('\n')
        .map((line) => line.split(' ').slice(1, 4).join(' '))
        .sort()
    const servers = () => machine.run(...firstboot('list', 'servers', '--json', '--state-dir', state))

    it('is up again without repair, and no lease, record or guest is lost', async () => {
      const first = start()
      await first.saying('firstboot is up')
      await eventually('the guest has booted', () => guest('ls', '/run/firstboot').includes('status\n'))
      const before = {
        dnsmasqs: dnsmasqs(),
        leases: leases(),
        servers: servers(),
        init: guest('cat', '/run/firstboot/lease'),
      }
      assert.equal(await first.end('SIGKILL'), 'SIGKILL')
      assert.equal(hostname(), 'green-2.novalocal', 'guests are answered meanwhile')

      const second = start()
      await second.saying('firstboot is up')
      assert.equal(hostname(), 'green-2.novalocal')
      assert.deepEqual(
        { dnsmasqs: dnsmasqs(), leases: leases(), servers: servers(), init: guest('cat', '/run/firstboot/lease') },
        before,
      )
      assert.equal(await second.end(), 0)
      assert.equal(machine.run('ip', 'netns'), '')
      assert.doesNotMatch(machine.run('ip', '-brief', 'link'), /brq|tap/)
      assert.throws(dnsmasqs)
    })
  })

  it('firstboot up holds the guests of an earlier run until it knows them', async () => {
    const state = join(directory, 'held')
    const first = startDaemon(machine, 'up', '-f', LAB, '--state-dir', state)
    await first.saying('firstboot is up')
    const [netns = ''] = /instance-\S+/.exec(machine.run('ip', 'netns')) ?? []
    await eventually('the guest has its lease', () =>
      machine.run('ip', '-n', netns, 'route').includes('169.254.169.254'),
    )
    assert.equal(await first.end('SIGKILL'), 'SIGKILL')
    await killSurvivors()
    const held = lockDatabase(join(state, 'inventory.sqlite'))
    const second = startDaemon(machine, 'up', '--state-dir', state)
    const curl = ['curl', '-sS', '--max-time', '20', '--retry', '50', '--retry-connrefused', '--retry-delay', '0']
    const asking = machine.start(['ip', 'netns', 'exec', netns, ...curl, 'http://169.254.169.254/openstack'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await eventually('the guest is held', () =>
      /ESTAB .*169\.254\.169\.254:80/.test(machine.run('ip', 'netns', 'exec', netns, 'ss', '-Htn')),
    )
    held.close()
    let said = ''
    for await (const chunk of asking.stdout ?? []) said += chunk
    assert.match(said, /^2012-08-10\n/, second.said())
    await second.saying('firstboot is up')
    assert.equal(await second.end(), 0)
  })

  it('firstboot up that never could read the inventory takes away what an earlier run left, when it is ended', async () => {
    const state = join(directory, 'unread')
    const first = startDaemon(machine, 'up', '-f', CHAIN, '--state-dir', state)
    await first.saying('firstboot is up')
    assert.equal(await first.end('SIGKILL'), 'SIGKILL')
    await killSurvivors()
    const held = lockDatabase(join(state, 'inventory.sqlite'))
    const second = startDaemon(machine, 'up', '--state-dir', state)
    await eventually('guests are held', () =>
      /169\.254\.169\.254:80/.test(machine.run('ip', 'netns', 'exec', NETNS, 'ss', '-Htln')),
    )
    assert.equal(await second.end(), 0)
    held.close()
    assert.doesNotMatch(second.said(), /firstboot is up/)
    assert.equal(machine.run('ip', 'netns'), '')
    assert.doesNotMatch(machine.run('ip', '-brief', 'link'), /brq|tap/)
  })

  it('a second firstboot up on the same state names the first and changes nothing', async () => {
    const state = join(directory, 'twice')
    const first = startDaemon(machine, 'up', '-f', CHAIN, '--state-dir', state)
    await first.saying('firstboot is up')
    const second = startDaemon(machine, 'up', '-f', CHAIN, '--state-dir', state)
    assert.equal(await second.end('SIGCONT'), 1)
    const [, pid] = /process (\d+) already runs on/.exec(second.said()) ?? []
    assert.match(machine.run('cat', `/proc/${pid}/cmdline`), /firstboot/)
    assert.match(machine.run('ip', 'netns'), /qdhcp-11111111/)
    assert.equal(await first.end(), 0)
  })

  describe('an inventory that cannot be read yet', () => {
    const state = join(directory, 'locked')
    const id = '55555555-5555-4555-8555-555555555555'
    const database = join(state, 'inventory.sqlite')
    let project = ''
    before(() => {
      machine.run(...firstboot('apply', '-f', CHAIN, '--state-dir', state))
      project = JSON.parse(machine.run(...firstboot('show', 'server', id, '--json', '--state-dir', state))).project_id
    })

    it('holds requests until it can, and never says 404', async () => {
      const held = lockDatabase(database)
      const { api, ask } = startApi(state, id, () => project)
      await api.saying('listens on')
      const waiting = ask()
      const first = await Promise.race([waiting, pause(300, 'held')])
      assert.equal(first, 'held')
      held.close()
      assert.equal((await waiting).status, 200)
      await api.end()
    })

    it('answers 503 with Retry-After when that takes longer than 8 s', async () => {
      const held = lockDatabase(database)
      const { api, ask } = startApi(state, id, () => project)
      await api.saying('listens on')
      const started = performance.now()
      const answer = await ask()
      assert.equal(answer.status, 503)
      assert.equal(answer.retryAfter, '1')
      assert.ok(performance.now() - started > 7_500)
      held.close()
      await api.end('SIGKILL')
    })
  })

  it('firstboot up obeys what its configuration file says at a SIGHUP, and nothing of one that makes no sense', async () => {
    const [state, file, vendor] = ['hangup', 'hangup.conf', 'vendor.json'].map((name) => join(directory, name)) as [
      string,
      string,
      string,
    ]
    const say = (text: string) =>
      writeFileSync(file, `[DEFAULT]\nenable_isolated_metadata = true\nvendordata_jsonfile_path = ${vendor}\n${text}\n`)
    say('')
    writeFileSync(vendor, '{}')
    const answering = () => machine.run('pgrep', '-f', 'firstboot.js metadata-proxy').trim().split('\n').at(-1)
    const up = startDaemon(machine, 'up', '-f', CHAIN, '--state-dir', state, '--config-file', file)
    await up.saying('firstboot is up')
    const hangUp = async (text: string, expected: string) => {
      say(text)
      up.signal('SIGHUP')
      await up.saying(expected)
      return machine.run(...firstboot('datapath', 'set', '--state-dir', state))
    }
    const first = answering()
    await hangUp('', 'SIGHUP: every option is as before')
    for (const [wrong, says] of [
      ['nosuch=1', /no option nosuch of the datapath; it has .*force_metadata/],
      ['force_metdata=1', /did you mean force_metadata\?/],
    ] as const)
      assert.throws(() => machine.run(...firstboot('datapath', 'set', wrong, '--state-dir', state)), says)
    assert.match(await hangUp('force_metadata = true', 'force_metadata: false -> true'), /^force_metadata=true$/m)
    assert.match(await hangUp('force_metadata = perhaps', 'is neither true nor false'), /^force_metadata=true$/m)
    await hangUp('force_metadata = true\nconfig_drive_format = vfat', '(counts from the next start on)')
    assert.equal(answering(), first, 'who answers guests stays as long as nothing of its own has changed')
    await hangUp('force_metadata = true\ndhcp_domain = example', 'SIGHUP: dhcp_domain: novalocal -> example')
    const second = answering()
    assert.notEqual(second, first)
    writeFileSync(vendor, '{"a": 1}')
    await hangUp('force_metadata = true\ndhcp_domain = example', 'files of vendor data are read again')
    assert.notEqual(answering(), second)
    writeFileSync(vendor, '{')
    await hangUp('force_metadata = true\ndhcp_domain = example', 'SIGHUP: guests are answered as before')
    assert.equal(await up.end('SIGINT'), 0)
  })

  describe('a state directory that cannot be written', () => {
    const cases: { name: string; options: string; fill?: boolean; says: RegExp }[] = [
      { name: 'on a read-only file system', options: 'ro', says: /read-only/ },
      { name: 'on a full disk', options: 'size=16k', fill: true, says: /no space left|disk is full|full/i },
    ]
    for (const { name, options, fill, says } of cases)
      it(`${name} is a message, not a stack trace`, () => {
        const place = join(directory, name.replaceAll(' ', '-'))
        mkdirSync(place)
        machine.run('mount', '-t', 'tmpfs', '-o', options, 'tmpfs', place)
        if (fill) machine.run('sh', '-c', `cat /dev/zero >${place}/filler 2>/dev/null || true`)
        for (const command of [
          ['up', '-f', LAB],
          ['apply', '-f', LAB],
        ])
          assert.throws(
            () => machine.run(...firstboot(...command, '--state-dir', join(place, 'state'))),
            (error: { status: number; stderr: string }) => {
              assert.equal(error.status, 1)
              assert.match(error.stderr, says)
              assert.doesNotMatch(error.stderr, /^\s+at /m)
              return true
            },
          )
      })
  })

  it('a daemon that waits for a locked inventory ends when it is told to', async () => {
    const state = join(directory, 'waiting')
    machine.run(...firstboot('apply', '-f', CHAIN, '--state-dir', state))
    const held = lockDatabase(join(state, 'inventory.sqlite'))
    const api = startDaemon(machine, 'metadata-api', '--state-dir', state, '--metadata-listen-port', '18776')
    await api.saying('listens on')
    assert.equal(await api.end(), 0)
    held.close()
  })

  const refusals: {
    name: string
    given: (state: string) => string[]
    says: RegExp
    prepare?: (state: string) => void
  }[] = [
    {
      name: 'an empty shared secret',
      given: (state) => ['metadata-api', '--state-dir', state],
      prepare: (state) => writeFileSync(join(state, 'metadata_proxy_shared_secret'), ''),
      says: /metadata_proxy_shared_secret is empty/,
    },
    {
      name: 'a socket path that is a file, which stays',
      given: (state) => ['metadata-agent', '--state-dir', state, '--metadata-proxy-socket', join(state, 'precious')],
      prepare: (state) => writeFileSync(join(state, 'precious'), 'precious'),
      says: /precious is there and is no socket/,
    },
    {
      name: 'reading where nothing was ever applied',
      given: (state) => ['list', 'servers', '--state-dir', `${state}/typo`],
      says: /there is no inventory in .*typo/,
    },
    { name: 'a lab that does not run', given: () => ['list', 'servers', '--lab'], says: /no lab is running/ },
  ]
  for (const { name, given, prepare, says } of refusals)
    it(`${name} is refused in a sentence`, () => {
      const state = mkdtempSync(join(directory, 'refusal-'))
      machine.run(...firstboot('apply', '-f', CHAIN, '--state-dir', state))
      prepare?.(state)
      assert.throws(
        () => machine.run('env', `TMPDIR=${state}`, ...firstboot(...given(state))),
        (error: { stderr: string }) => says.test(error.stderr) && !/^\s+at /m.test(error.stderr),
      )
      assert.ok(!existsSync(join(state, 'typo')))
      assert.ok(name.includes('file') ? existsSync(join(state, 'precious')) : true)
    })

  it('a file that is refused changes nothing and starts nothing', () => {
    const file = join(directory, 'bad.yaml')
    writeFileSync(file, readFileSync(LAB, 'utf8').replace('fixed_ip: 10.0.0.12', 'fixed_ip: 10.0.1.12'))
    const state = join(directory, 'refused')
    assert.throws(
      () => machine.run(...firstboot('up', '-f', file, '--state-dir', state)),
      (error: { stderr: string }) =>
        /^firstboot up: \S+bad\.yaml:\d+:\d+: servers\[1\]\.networks\[0\]\.fixed_ip: 10\.0\.1\.12 /m.test(
          error.stderr,
        ) && !/^\s+at /m.test(error.stderr), // a sentence, and no stack
    )
    assert.equal(machine.run('ip', 'netns'), '')
    assert.throws(() => machine.run('pgrep', '-f', 'firstboot.js (metadata-proxy|socket-keeper)'))
    assert.ok(existsSync(state))
  })

  /** The processes that answer guests of a `firstboot up` that was killed. */
  async function killSurvivors() {
    const survivors = ['-f', 'firstboot.js (metadata-proxy|socket-keeper)'] as const
    machine.run('pkill', '-KILL', ...survivors)
    await eventually('nothing of the earlier run is left', () => {
      try {
        machine.run('pgrep', ...survivors)
        return false
      } catch {
        return true // it found none
      }
    })
  }

  /** Starts a metadata API beside the test (loopback is the machine's own, so it is asked from within by node). */
  function startApi(state: string, id: string, projectOf: () => string) {
    const secret = 'trouble'
    const socketPort = 18_775
    const options = [
      '--state-dir',
      state,
      '--metadata-proxy-shared-secret',
      secret,
      '--metadata-listen-port',
      String(socketPort),
    ]
    const api = startDaemon(machine, 'metadata-api', ...options)
    const ask = async () => {
      const headers = [
        'X-Instance-ID',
        id,
        'X-Tenant-ID',
        projectOf(),
        'X-Instance-ID-Signature',
        signature(id, secret),
      ]
      const fields = Array.from({ length: 3 }, (_, i) => [
        '--header',
        `${headers[2 * i]}: ${headers[2 * i + 1]}`,
      ]).flat()
      const curl = machine.start(
        ['curl', '--silent', '--include', '--max-time', '20', ...fields, `http://127.0.0.1:${socketPort}/openstack`],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      )
      let said = ''
      for await (const chunk of curl.stdout ?? []) said += chunk
      return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(said)?.[1]), retryAfter: /^Retry-After: (\S+)/m.exec(said)?.[1] }
    }
    return { api, ask }
  }
})

/** Keeps everybody from reading it, as a long maintenance would, until it is closed. */
function lockDatabase(path: string): DatabaseSync {
  // Of a process that was just killed, the kernel may not have let go yet.
  const held = new DatabaseSync(path, { timeout: 5_000 })
  held.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; CREATE TABLE held (x); ROLLBACK')
  return held
}
