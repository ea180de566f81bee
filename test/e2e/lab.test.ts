import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Examined } from '../../src/doctor/examine.ts'
import type { Explanation } from '../../src/explain/explain.ts'
import { firstboot } from '../support/daemon.ts'
import { eventually } from '../support/eventually.ts'
import { openTestMachine, type TestMachine } from '../support/test-machine.ts'

// What `npm start` runs, as a user runs it: from outside of the sandbox it makes.

const PROJECT = fileURLToPath(new URL('../..', import.meta.url))
const LAB = join(PROJECT, 'examples/lab.yaml')
/** Ports of every kind: IPv6 alone by advertisement and by DHCPv6, both families on two ports, two of IPv4. */
const SHAPES = fileURLToPath(new URL('lab.yaml', import.meta.url))

describe('firstboot lab', () => {
  const directory = mkdtempSync(join(tmpdir(), 'firstboot-lab-test-'))
  // A lab's state is in the temporary directory; that of somebody who has a lab open now is left alone.
  const marker = randomUUID()
  const env = { ...process.env, TMPDIR: directory, FIRSTBOOT_TEST_MARKER: marker }
  const started: ChildProcess[] = []
  const run = (...args: string[]) => {
    const [program, ...rest] = firstboot(...args)
    return execFileSync(program, rest, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  }
  const start = (...args: string[]) => {
    const [program, ...rest] = firstboot(...args)
    const child = spawn(program, rest, { env, stdio: ['ignore', 'pipe', 'pipe'] })
    started.push(child)
    return child
  }

  afterEach(() => {
    for (const child of started.splice(0)) child.kill('SIGKILL')
  })
  after(() => rmSync(directory, { recursive: true, force: true }))

  it('--once boots every guest, proves that each has its own metadata, and leaves nothing', () => {
    const said = run('lab', '--once')
    for (const name of ['blue-1', 'blue-2', 'green-1', 'green-2']) {
      assert.match(said, new RegExp(`${name} +lease 10\\.0\\.0\\.1[12]/24 from 10\\.0\\.0\\.2 `))
      assert.match(said, new RegExp(`${name} +route 169\\.254\\.169\\.254 via 10\\.0\\.0\\.2 `))
      assert.match(said, new RegExp(`${name} +GET /openstack/2018-08-27/user_data +200 `))
      assert.match(said, new RegExp(`${name} +hostname ${name}`))
      assert.match(said, new RegExp(`${name} +10\\.0\\.0\\.1[12] +right +right +right +right +right`))
    }
    assert.match(said, /10\.0\.0\.11 is blue-1 \(\S+\) on blue and green-1 \(\S+\) on green/)
    assert.match(said, /4 of 4 guests have exactly their own metadata\./)
    assert.deepEqual(readdirSync(directory), [])
  })

  it('--once boots guests on IPv6 alone, and configures each port of a guest', () => {
    const said = run('lab', '--once', '-f', SHAPES)
    for (const name of ['advertised', 'given', 'mixed', 'two-ports'])
      assert.match(said, new RegExp(`${name} .* right +right +right +right +right`))
    assert.match(said, /4 of 4 guests have exactly their own metadata\./)
    for (const name of ['advertised', 'given'])
      assert.match(said, new RegExp(`${name} +metadata at fe80::a9fe:a9fe%eth0`))
    assert.match(said, /advertised +address fd00:1::\S+\/64 on eth0/)
    assert.match(said, /given +address fd00:2::\S+ on eth0/)
    assert.match(said, /two-ports +lease 10\.3\.0\.\d+\/24 .* on eth0/)
    assert.match(said, /two-ports +lease 10\.4\.0\.\d+\/24 .* on eth1/)
    assert.match(said, /two-ports +user-data says: 169\.254\.169\.254 via 10\.3\.0\.2 dev eth0/)
    assert.match(said, /mixed +address fd00:1::\S+\/64 on eth0/)
    assert.match(said, /mixed +lease 10\.4\.0\.\d+\/24 .* on eth1/)
  })

  it('asks by IPv6 where the router leads, and says what a guest waits for that nobody answers', async () => {
    const lab = start('lab', '--once', '-f', SHAPES, '--no-enable-isolated-metadata')
    await saying(
      lab,
      /advertised +metadata at fe80::a9fe:a9fe%eth0/,
      /given +waits for metadata \(\d+s\): no answer to GET \/openstack; eth0 has no lease and asks fe80::a9fe:a9fe$/m,
      /two-ports +waits for metadata \(\d+s\): .*; eth0 has a lease and asks 169\.254\.169\.254; eth1 has a lease /,
      /^Waiting for given, two-ports to boot, \d+ s at most\.$/m,
    )
    const ended = once(lab, 'exit')
    lab.kill('SIGTERM')
    assert.deepEqual(await ended, [1, null])
  })

  it('refuses a bad file by line, with exit code 1', () => {
    const file = join(directory, 'bad.yaml')
    writeFileSync(file, readFileSync(LAB, 'utf8').replace('key_name: alice', 'key_nam: alice'))
    assert.throws(
      () => run('lab', '--once', '-f', file),
      (error: { status: number; stderr: string }) => {
        assert.equal(error.status, 1)
        assert.match(error.stderr, /bad\.yaml:\d+:\d+: servers\[0\]\.key_nam.*key_name/)
        return true
      },
    )
    rmSync(file)
  })

  describe('stays up', () => {
    let lab: ChildProcess
    before(() => {
      lab = start('lab')
      started.splice(0)
      return saying(lab, 'Ctrl-C takes it all away')
    })
    after(() => lab.kill('SIGKILL'))

    it('lets one in from outside', () => {
      const path = 'http://169.254.169.254/latest/meta-data/hostname'
      assert.equal(run('exec', '--lab', 'green-1', '--', 'curl', '-s', path), 'green-1.novalocal')
      assert.equal(
        run('exec', '--lab', 'green-1', '--', 'cat', '/run/who-am-i'),
        'I am green-1, first server of project green\n',
      )
      assert.equal(run('render', '--lab', 'green-1', '/latest/meta-data/hostname'), 'green-1.novalocal')
      assert.match(run('list', '--lab', 'servers'), /green-1 +green +green=10\.0\.0\.11/)
    })

    it('explains a guest as it is in there', () => {
      const { verdict, findings, steps } = JSON.parse(run('explain', '--lab', 'green-1', '--json')) as Explanation
      assert.deepEqual([verdict, findings], ['well', []])
      const said = new Map(steps.map(({ id, state, observed }) => [id, `${state}: ${observed}`]))
      assert.match(said.get('service') ?? '', /^well: lab \d+$/)
      assert.equal(said.get('api'), 'absent: part of firstboot lab')
      assert.deepEqual(
        steps.filter(({ state }) => state === 'unknown'),
        [],
      )
      const path = join(directory, `firstboot-lab-${process.getuid?.()}`)
      assert.match(run('explain', '--state-dir', path, 'green-1'), /^green-1 gets its metadata by dhcp\.\n/)
      assert.throws(() => run('explain', '--lab', '10.0.0.11'), { status: 2, stderr: /2 ports have 10\.0\.0\.11/ })
    })

    it('has nothing left behind and nothing missing, says doctor', () => {
      const [program, ...args] = firstboot('doctor', '--lab', '--json')
      // It does not like our marker, and says so by its exit code.
      const { stdout } = spawnSync(program, args, { env, encoding: 'utf8' })
      const { examined } = JSON.parse(stdout) as { examined: readonly Examined[] }
      const own = examined.filter(({ check }) => /^(state|leftovers)\//.test(check))
      assert.ok(own.length > 0)
      const bad = own.filter(({ severity }) => severity !== 'ok' && severity !== 'unknown')
      assert.deepEqual(bad, [])
    })

    it('passes on the exit code of a command, and refuses an unknown server', () => {
      assert.throws(() => run('exec', '--lab', 'green-1', '--', 'sh', '-c', 'exit 7'), { status: 7 })
      assert.throws(() => run('exec', '--lab', 'green-3', '--', 'true'), /there is no server green-3; did you mean/)
    })

    it('keeps the guests off the host', () => {
      assert.throws(() => run('exec', '--lab', 'green-1', '--', 'sh', '-c', 'echo x >/usr/firstboot-was-here'))
      run('exec', '--lab', 'green-1', '--', 'sh', '-c', 'echo x >/etc/firstboot-was-here')
      assert.equal(existsSync('/etc/firstboot-was-here'), false)
      assert.throws(() => run('exec', '--lab', 'green-1', '--', 'ls', PROJECT))
    })

    it('lets nobody start a second one', () => {
      assert.throws(() => run('lab', '--once'), new RegExp(`a lab runs already \\(process ${lab.pid}\\)`))
    })

    it('ends by SIGTERM and leaves nothing', async () => {
      const ended = once(lab, 'exit')
      lab.kill('SIGTERM')
      assert.deepEqual(await ended, [0, null])
      assert.deepEqual(readdirSync(directory), [])
      assert.deepEqual(processesWith(marker), [])
    })
  })

  it('killed by SIGKILL leaves no process, and the next one starts afresh', async () => {
    const killed = start('lab')
    await saying(killed, 'Ctrl-C takes it all away')
    const ended = once(killed, 'exit')
    killed.kill('SIGKILL')
    await ended
    await eventually('every process of the lab is gone', () => processesWith(marker).length === 0)
    assert.match(run('lab', '--once'), /4 of 4 guests/)
  })

  it('needs no root', { skip: process.getuid?.() !== 0 && 'every test here shows it' }, async () => {
    const machine: TestMachine = await openTestMachine()
    try {
      // Where a plain user can read it, and where a sandbox does not lay a fresh file system over it.
      machine.run('mount', '--bind', PROJECT, '/mnt')
      const home = mkdtempSync(join(directory, 'home-'))
      chmodSync(directory, 0o755)
      chmodSync(home, 0o777)
      const nobody = ['--reuid=65534', '--regid=65534', '--clear-groups', '--']
      const variables = ['env', '--chdir=/', `TMPDIR=${home}`, `HOME=${home}`]
      const command = ['/mnt/node_modules/.bin/node', '/mnt/bin/firstboot.js', 'lab', '--once']
      const said = machine.run('setpriv', ...nobody, ...variables, ...command)
      assert.match(said, /4 of 4 guests have exactly their own metadata\./)
    } finally {
      await machine.stop()
    }
  })
})

/** Resolves when the process has printed texts. @throws when it ends before */
function saying(child: ChildProcess, ...texts: readonly (string | RegExp)[]): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let said = ''
  const listen = (chunk: Buffer) => {
    said += chunk
    if (texts.every((text) => said.search(text) !== -1)) resolve()
  }
  child.stdout?.on('data', listen)
  child.stderr?.on('data', listen)
  child.once('exit', () => reject(new Error(`It ended without saying ${texts.join(' and ')}:\n${said}`)))
  return promise
}

/** Processes, of whatever namespace, that have this in their environment. */
function processesWith(marker: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(marker)
      } catch {
        return false // it has ended meanwhile
      }
    })
}
