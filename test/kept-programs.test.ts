import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, afterEach, before, describe, it } from 'node:test'
import { KeptPrograms } from '../src/host/kept-programs/kept-programs.ts'
import { canBecomeAnotherUser } from '../src/host/kept-programs/user.ts'
import type { Dnsmasq, Haproxy, Program, Radvd } from '../src/host/namespace.ts'
import { netnsInode, netnsPath } from '../src/host/netns.ts'
import { addNetns, deleteNetns } from '../src/host/plug.ts'
import { isAlive, processId } from '../src/host/process.ts'
import { captureProgram, runProgram } from '../src/host/programs.ts'
import { noSandbox, temporaryDirectory } from './support/datapath-machine.ts'
import { eventually } from './support/eventually.ts'
import { kernelTurn } from './support/kernel-turn.ts'

await kernelTurn()

// A namespace `qrouter-kept` with one device, in which real programs run; `keeper` is a run of ours.

const NETNS = 'qrouter-kept'
const DEVICE = 'qr-kept'

describe('programs kept in a namespace', { skip: noSandbox }, () => {
  const state = temporaryDirectory()
  let told: string[] = []
  let keeper = startKeeper()

  function startKeeper(): KeptPrograms {
    const byThisOne: string[] = []
    told = byThisOne
    return new KeptPrograms(state.path, (netns, kind, how) => byThisOne.push(`${kind} of ${netns}: ${how}`))
  }

  /** As the next run of ours: it knows nothing but what it finds. */
  async function nextRun(names: readonly string[] = [NETNS]): Promise<void> {
    keeper.close()
    keeper = startKeeper()
    await keeper.adopt(new Map(names.map((name) => [netnsInode(netnsPath(name)) ?? assert.fail(), name])))
  }

  function dnsmasq(host = ''): Dnsmasq {
    const directory = `${state.path}/dhcp/n1`
    const paths = [
      `--pid-file=${directory}/pid`,
      `--dhcp-hostsfile=${directory}/host`,
      `--addn-hosts=${directory}/addn_hosts`,
    ]
    return {
      kind: 'dnsmasq',
      directory,
      arguments: [
        '--no-hosts',
        '--no-resolv',
        '--conf-file=/dev/null',
        ...paths,
        '--port=53',
        '--listen-address=127.0.0.1',
      ],
      files: { host, addn_hosts: '127.0.0.7\tone.test\n', opts: '' },
      initialLeases: [],
      leaseDuration: 600,
    }
  }

  function radvd(options = 'AdvSendAdvert on;'): Radvd {
    const directory = `${state.path}/ra/r1`
    return {
      kind: 'radvd',
      directory,
      arguments: ['-C', `${directory}/radvd.conf`, '-p', `${directory}/pid`],
      files: { 'radvd.conf': `interface ${DEVICE}\n{\n  ${options}\n};\n` },
    }
  }

  function haproxy(status = 200, more = ''): Haproxy {
    const directory = `${state.path}/ns-metadata-proxy/r1`
    const timeouts = ['client', 'server', 'connect', 'http-request'].map((name) => `    timeout ${name} 32s`)
    const listen = ['listen listener', '    bind :::9697', `    http-request return status ${status}`, more]
    return {
      kind: 'haproxy',
      directory,
      arguments: ['-f', `${directory}/haproxy.conf`],
      files: { 'haproxy.conf': `${['defaults', '    mode http', ...timeouts, ...listen].join('\n')}\n` },
    }
  }

  const running = (kind: Program['kind']) => keeper.running(NETNS).find((each) => each.kind === kind)
  const pidOf = (kind: Program['kind']) => running(kind)?.pid ?? assert.fail(`${kind} does not run`)
  const inside = (...command: readonly string[]) => captureProgram('ip', ['netns', 'exec', NETNS, ...command])
  /** undefined: refused. */
  async function status(): Promise<string | undefined> {
    const ask = ['curl', '-s', '-o', '/dev/null', '--max-time', '10', '-w', '%{http_code}']
    const { exitCode, stdout } = await inside(...ask, 'http://127.0.0.1:9697/')
    return exitCode === 0 ? stdout : undefined
  }

  before(async () => {
    await addNetns(NETNS)
    await runProgram('ip', ['-n', NETNS, 'link', 'set', 'lo', 'up'])
    await runProgram('ip', ['-n', NETNS, 'link', 'add', DEVICE, 'type', 'veth', 'peer', 'name', 'peer'])
    for (const device of [DEVICE, 'peer']) await runProgram('ip', ['-n', NETNS, 'link', 'set', device, 'up'])
  })

  afterEach(async () => {
    await keeper.stopAll(NETNS)
    await keeper.settle()
    keeper.close()
    keeper = startKeeper()
  })

  after(async () => {
    keeper.close()
    await deleteNetns(NETNS)
    state.remove()
  })

  for (const program of [dnsmasq(), radvd(), haproxy()]) {
    const { kind } = program
    const config = kind === 'dnsmasq' ? 'host' : `${kind}.conf`

    describe(kind, () => {
      it('runs in the namespace, with its directory in the command line', async () => {
        await keeper.start(NETNS, program)
        const { stdout } = await runProgram('ip', ['netns', 'pids', NETNS])
        assert.ok(stdout.split('\n').includes(`${pidOf(kind)}`))
        assert.ok(readFileSync(`/proc/${pidOf(kind)}/cmdline`, 'utf8').includes(program.directory))
        const { arguments: args, files } = running(kind) ?? assert.fail()
        assert.deepEqual({ args, files }, { args: program.arguments, files: program.files })
      })

      it('is said to be missing, with the package that has it', async (t) => {
        const path = process.env['PATH']
        t.after(() => {
          process.env['PATH'] = path
        })
        process.env['PATH'] = '/nonexistent'
        await assert.rejects(keeper.start(NETNS, program), {
          name: 'HostError',
          message: `${kind} is not installed: install the Debian package ${kind === 'dnsmasq' ? 'dnsmasq-base' : kind}`,
        })
      })

      it('gets nothing of our environment', async (t) => {
        process.env['FIRSTBOOT_TEST_SECRET'] = 'secret'
        t.after(() => delete process.env['FIRSTBOOT_TEST_SECRET'])
        await keeper.start(NETNS, program)
        assert.ok(!readFileSync(`/proc/${pidOf(kind)}/environ`, 'utf8').includes('secret'))
      })

      it('is told of when it is killed, and can be started again at once', async () => {
        await keeper.start(NETNS, program)
        const killed = pidOf(kind)
        process.kill(killed, 'SIGKILL')
        await eventually('its end is told', () => told.length > 0)
        assert.match(told[0] ?? '', new RegExp(`^${kind} of ${NETNS}: it ended with SIGKILL`))
        assert.equal(running(kind), undefined)
        await keeper.start(NETNS, program)
        assert.notEqual(pidOf(kind), killed)
      })

      it('is adopted by the next run, which is told of its end too', async () => {
        await keeper.start(NETNS, program)
        const before = pidOf(kind)
        await nextRun()
        assert.equal(pidOf(kind), before)
        assert.deepEqual(running(kind)?.arguments, program.arguments)
        assert.deepEqual(running(kind)?.files, kind === 'haproxy' ? program.files : undefined)
        process.kill(before, 'SIGKILL')
        await eventually('its end is told', () => told.length > 0)
        assert.match(told[0] ?? '', new RegExp(`^${kind} of ${NETNS}: it ended`))
      })

      it('ends when the next run finds no name for its namespace', async () => {
        await keeper.start(NETNS, program)
        const before = processId(pidOf(kind)) ?? assert.fail()
        await nextRun([])
        assert.ok(!isAlive(before))
        assert.equal(existsSync(program.directory), kind === 'dnsmasq')
      })

      it('stops, and leaves its directory only when that is of use', async () => {
        await keeper.start(NETNS, program)
        const before = processId(pidOf(kind)) ?? assert.fail()
        await keeper.stop(NETNS, kind)
        await keeper.settle()
        assert.ok(!isAlive(before))
        assert.equal(existsSync(join(program.directory, config)), kind === 'dnsmasq')
        assert.deepEqual(told, [])
      })

      it('keeps nobody waiting when it does not end', async () => {
        await keeper.start(NETNS, program)
        const before = processId(pidOf(kind)) ?? assert.fail()
        process.kill(before.pid, 'SIGSTOP')
        // Of two signals that wait together the kernel delivers SIGTERM first.
        const stat = () => readFileSync(`/proc/${before.pid}/stat`, 'utf8')
        await eventually('it is stopped', () => stat().includes(') T '))
        await keeper.stop(NETNS, kind)
        await assert.rejects(keeper.start(NETNS, program), /told to end, and still runs/)
        process.kill(before.pid, 'SIGCONT')
        await keeper.settle()
        await eventually('its end is told', () => told.length > 0)
        await keeper.start(NETNS, program)
      })
    })
  }

  it('runs dnsmasq and radvd as other users than root where there are any', async () => {
    for (const program of [dnsmasq(), radvd()]) {
      await keeper.start(NETNS, program)
      const isRoot = () => /^Uid:\s+0\s/m.test(readFileSync(`/proc/${pidOf(program.kind)}/status`, 'utf8'))
      await eventually('it is who it shall be', () => isRoot() !== canBecomeAnotherUser(program.directory))
    }
  })

  it('starts one that failed again only after a while, or when there is another reason to hope', async () => {
    const broken = { ...dnsmasq(), arguments: [...dnsmasq().arguments, '--no-such-option'] }
    await assert.rejects(
      keeper.start(NETNS, broken),
      /^HostError: it ended with exit code 1: dnsmasq: bad command line options/,
    )
    await assert.rejects(keeper.start(NETNS, broken), /bad command line options.*; next attempt in 1 s$/)
    await keeper.start(NETNS, dnsmasq())
    await assert.rejects(keeper.start(NETNS, radvd('Nonsense on;')), /radvd\.conf:3 error: syntax error$/)
    await assert.rejects(keeper.start(NETNS, radvd('Nonsense on;')), /; next attempt in 1 s$/)
    await keeper.start(NETNS, radvd())
  })

  it('lets dnsmasq and radvd read their files again', async () => {
    await keeper.start(NETNS, dnsmasq())
    await keeper.start(NETNS, radvd())
    const before = [pidOf('dnsmasq'), pidOf('radvd')]
    const changed = { ...dnsmasq(), files: { ...dnsmasq().files, addn_hosts: '127.0.0.8\ttwo.test\n' } }
    await keeper.reload(NETNS, changed)
    await eventually('dnsmasq knows the name', async () => {
      const { stdout } = await inside('busybox', 'nslookup', 'two.test', '127.0.0.1')
      return stdout.includes('127.0.0.8')
    })
    await keeper.reload(NETNS, radvd('AdvSendAdvert on; MaxRtrAdvInterval 30;'))
    const log = () => readFileSync(join(radvd().directory, 'log'), 'utf8')
    await eventually('radvd has read its file', () => log().includes('resuming normal operation'))
    assert.deepEqual([pidOf('dnsmasq'), pidOf('radvd')], before)
    assert.deepEqual(running('radvd')?.files, radvd('AdvSendAdvert on; MaxRtrAdvInterval 30;').files)
  })

  it('says what is wrong in a file, and lets go on what runs with the one before', async () => {
    await keeper.start(NETNS, radvd())
    await keeper.start(NETNS, haproxy())
    const before = [pidOf('radvd'), pidOf('haproxy')]
    await assert.rejects(keeper.reload(NETNS, radvd('Nonsense on;')), /ra\/r1\/radvd\.conf\.new:3 error: syntax error$/)
    await assert.rejects(keeper.restart(NETNS, haproxy(200, 'nonsense')), (error: Error) => {
      assert.match(error.message, /r1\/haproxy\.conf\.new:\d+\] : unknown keyword 'nonsense'/)
      return true
    })
    await assert.rejects(keeper.restart(NETNS, haproxy(200, 'nonsense')), /; next attempt in 1 s$/)
    assert.deepEqual([pidOf('radvd'), pidOf('haproxy')], before)
    assert.deepEqual(running('haproxy')?.files, haproxy().files)
    assert.equal(await status(), '200')
  })

  it('counts a haproxy as started only when it listens on all its addresses', async () => {
    await keeper.start(NETNS, haproxy())
    const other = haproxy(200, '    bind 127.0.0.1:9697 \n    bind 127.0.0.1:9698')
    const squatter = spawnInside(
      `require('node:net').createServer().listen(9698, '127.0.0.1', () => console.log('ready'))`,
    )
    await once(squatter.stdout, 'data')
    await assert.rejects(
      keeper.restart(NETNS, other),
      /cannot bind socket \(Address already in use\) for \[127.0.0.1:9698\]/,
    )
    assert.equal(await status(), '200')
    squatter.kill('SIGKILL')
    await once(squatter, 'exit')
    await eventually('it runs', () =>
      keeper.restart(NETNS, other).then(
        () => true,
        () => false,
      ),
    )
    assert.equal((await inside('curl', '-s', 'http://127.0.0.1:9698/')).exitCode, 0)
  })

  it('relieves a haproxy without refusing anybody, and lets it finish what it has begun', async () => {
    await keeper.start(NETNS, haproxy(200))
    const relieved = processId(pidOf('haproxy')) ?? assert.fail()
    const slow = spawnInside(`
      const socket = require('node:net').connect(9697, '127.0.0.1', () => {
        socket.write('GET / HTTP/1.1\\r\\nHost: a\\r\\n')
        console.log('begun')
        process.stdin.once('data', () => socket.write('Connection: close\\r\\n\\r\\n'))
      })
      socket.on('data', (data) => console.log(String(data))).on('close', () => process.exit())`)
    await once(slow.stdout, 'data')
    const answers: (string | undefined)[] = []
    let isDone = false
    const asking = (async () => {
      while (!isDone) answers.push(await status())
    })()
    await keeper.restart(NETNS, haproxy(201))
    await eventually('the new one answers', async () => (await status()) === '201')
    isDone = true
    await asking
    assert.deepEqual(
      answers.filter((answer) => answer !== '200' && answer !== '201'),
      [],
    )
    assert.ok(isAlive(relieved))
    slow.stdin.write('go on\n')
    assert.match(String((await once(slow.stdout, 'data'))[0]), /^HTTP\/1.1 200 /)
    await eventually('the old one is gone', () => !isAlive(relieved))
    assert.deepEqual(told, [])
  })

  it('stops a relieved haproxy with the one that relieved it', async () => {
    await keeper.start(NETNS, haproxy(200))
    const relieved = processId(pidOf('haproxy')) ?? assert.fail()
    const idle = spawnInside(`require('node:net').connect(9697, '127.0.0.1', () => console.log('ready'))`)
    await once(idle.stdout, 'data')
    await keeper.restart(NETNS, haproxy(201))
    await keeper.stop(NETNS, 'haproxy')
    await keeper.settle()
    assert.ok(!isAlive(relieved))
  })

  it('adopts the younger of two, as a run leaves them that ended while one relieved the other', async () => {
    await keeper.start(NETNS, haproxy(200))
    const older = processId(pidOf('haproxy')) ?? assert.fail()
    keeper.close()
    keeper = startKeeper()
    await keeper.start(NETNS, haproxy(201))
    const younger = pidOf('haproxy')
    await nextRun()
    assert.equal(pidOf('haproxy'), younger)
    assert.ok(!isAlive(older))
    assert.deepEqual(running('haproxy')?.files, haproxy(201).files)
  })

  it('knows what an adopted haproxy has read only while that is what lies there', async () => {
    await keeper.start(NETNS, haproxy())
    await assert.rejects(keeper.restart(NETNS, haproxy(200, '    bind 10.9.8.7:80')), /cannot bind socket/)
    await nextRun()
    assert.equal(running('haproxy')?.files, undefined)
  })

  it('does not keep one whose namespace was deleted while it started', async () => {
    const netns = 'qrouter-brief'
    await addNetns(netns)
    // It is ready when we say so.
    const { directory, arguments: args } = dnsmasq()
    const slow = { ...dnsmasq(), arguments: args.map((each) => each.replace(`${directory}/pid`, `${directory}/up`)) }
    const refusal = assert.rejects(keeper.start(netns, slow), /namespace was deleted meanwhile/)
    await eventually('it is up', () => existsSync(join(directory, 'up')))
    await deleteNetns(netns)
    writeFileSync(join(directory, 'pid'), '')
    await refusal
    assert.deepEqual(keeper.running(netns), [])
  })

  function spawnInside(program: string) {
    return spawn('ip', ['netns', 'exec', NETNS, process.execPath, '-e', program])
  }
})
