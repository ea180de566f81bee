import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Daemon, firstboot, startDaemon } from './support/daemon.ts'
import { eventually } from './support/eventually.ts'
import { openTestMachine, type TestMachine } from './support/test-machine.ts'

// Namespace guests as `firstboot up` keeps them, on a machine that the guest must not get hold of.

const LAB = fileURLToPath(new URL('../examples/lab.yaml', import.meta.url))

describe('namespace guests', () => {
  const directory = mkdtempSync(join(tmpdir(), 'firstboot-guests-'))
  const state = join(directory, 'state')
  const instances = join(state, 'run/instances')
  let machine: TestMachine
  let daemon: Daemon
  let id = ''
  const start = async () => {
    daemon = startDaemon(machine, 'up', '-f', LAB, '--state-dir', state)
    await daemon.saying('firstboot is up')
  }
  const guest = (script: string) =>
    machine.run(...firstboot('exec', '--state-dir', state, 'green-1', '--', 'sh', '-c', script))
  const says = (script: string, wanted: RegExp) => {
    try {
      return wanted.test(guest(script))
    } catch {
      return false // it does not run now
    }
  }
  const isBooted = () => says('cat /run/firstboot/status', /^configured$/m)
  const record = (): { guest: { interfaces: { tap: string; bridge: string }[] }; process: { pid: number } } =>
    JSON.parse(readFileSync(join(instances, id, 'guest.json'), 'utf8'))

  before(async () => {
    machine = await openTestMachine()
    await start()
    const shown = machine.run(...firstboot('show', 'server', 'green-1', '--json', '--state-dir', state))
    id = JSON.parse(shown).id
    await eventually('the guest has booted', isBooted)
  })
  after(async () => {
    await machine?.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  it('are in a user namespace of their own', () =>
    assert.notEqual(guest('readlink /proc/self/ns/user'), machine.run('readlink', '/proc/self/ns/user')))

  const refused: { name: string; script: string }[] = [
    { name: 'make /usr writable', script: 'mount -o remount,bind,rw /usr' },
    { name: 'write to /usr', script: 'touch /usr/firstboot-was-here' },
    { name: 'make a device', script: 'mknod /tmp/disk b 8 0' },
    { name: 'read the passwords of the host', script: 'cat /etc/shadow' },
    { name: 'read the private keys of the host', script: 'ls /etc/ssl/private' },
    { name: 'read how firstboot remembers them', script: 'cat /run/firstboot/guest.json' },
    { name: 'set what the kernel runs on the host', script: 'echo "|/tmp/x" >/proc/sys/kernel/core_pattern' },
    { name: 'kill their process 1, which has the rights of the host', script: 'kill -KILL 1 && ! kill -0 1' },
    {
      name: 'fill the disk of the host',
      script: 'head -c 17000000 /dev/zero >/run/firstboot/filler || ! rm /run/firstboot/filler',
    },
  ]
  for (const { name, script } of refused)
    it(`cannot ${name}`, () => assert.throws(() => guest(`{ ${script}; } 2>/dev/null`)))

  it('are root of their own network and name', () => {
    assert.equal(guest('ip link set lo mtu 1400 && hostname renamed && hostname && id -u'), 'renamed\n0\n')
    assert.match(guest('ip link show lo'), /mtu 1400/)
    assert.doesNotMatch(machine.run('hostname'), /renamed/)
  })

  it('cannot be looked at by other users of the host', () => {
    assert.equal(statSync(instances).mode & 0o777, 0o700)
    for (const name of readdirSync(instances)) assert.equal(statSync(join(instances, name)).mode & 0o777, 0o700)
  })

  it('are plugged in again when their bridge was deleted', async () => {
    const [{ tap, bridge } = { tap: '', bridge: '' }] = record().guest.interfaces
    const { pid } = record().process
    machine.run('ip', 'link', 'delete', bridge)
    await eventually('the tap is back on the bridge', () =>
      machine.run('ip', 'link', 'show', tap).includes(`master ${bridge}`),
    )
    await eventually('the guest is answered', () =>
      says('curl -s --max-time 2 http://169.254.169.254/latest/meta-data/hostname', /^green-1\./),
    )
    assert.equal(record().process.pid, pid)
  })

  it('are started again when they were killed', async () => {
    const { pid } = record().process
    machine.run('kill', '-KILL', `${pid}`)
    await eventually('another one runs', () => isBooted() && record().process.pid !== pid)
  })

  it('can be entered while they still start, as soon as there is something to enter', async () => {
    const signal = (name: string) => machine.run('pkill', `-${name}`, '-P', `${record().process.pid}`)
    /** @returns whoever waits to enter; undefined when the guest was faster than we */
    const caught = async (): Promise<Daemon | undefined> => {
      const { pid } = record().process
      machine.run('kill', '-KILL', `${pid}`)
      await eventually(
        'another one is started',
        () => existsSync(join(instances, id, 'guest.json')) && record().process.pid !== pid,
      )
      await eventually('it can be stopped', () => succeeds(() => signal('STOP')))
      const entering = startDaemon(machine, 'exec', '--state-dir', state, 'green-1', '--', 'true')
      return entering.saying('green-1 still starts').then(
        () => entering,
        () => undefined,
      )
    }
    let entering: Daemon | undefined
    await eventually('one is caught while it starts', async () => {
      entering = await caught()
      signal('CONT')
      return entering !== undefined
    })
    assert.equal(await entering?.end('SIGCONT'), 0)
  })

  it('are ended and started again when nobody can tell any more what was started', async () => {
    const { pid } = record().process
    writeFileSync(join(instances, id, 'guest.json'), '{"guest"')
    await eventually(
      'the old one is gone',
      () => !machine.run('ps', '-e', '-o', 'pid=').split(/\s+/).includes(`${pid}`),
    )
    await eventually('another one runs', isBooted)
  })

  it('leave nothing behind, not even a dead one', async () => {
    assert.equal(await daemon.end('SIGKILL'), 'SIGKILL')
    machine.run('kill', '-KILL', `${record().process.pid}`)
    await start()
    machine.run('kill', '-KILL', `${record().process.pid}`)
    assert.equal(await daemon.end(), 0)
    assert.equal(machine.run('ip', 'netns'), '')
    assert.deepEqual(readdirSync(instances), [])
    assert.doesNotMatch(machine.run('cat', '/proc/mounts'), /instances/)
  })

  it('that cannot be started end nobody', async () => {
    const programs = join(directory, 'programs')
    machine.run(
      'sh',
      '-c',
      `mkdir ${programs} && ln -s "$(command -v ip)" "$(command -v dnsmasq)" "$(command -v setpriv)" ${programs}`,
    )
    const [node, ...args] = firstboot('up', '--state-dir', state)
    const child = machine.start(['env', `PATH=${programs}`, node, ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
    let said = ''
    child.stderr?.on('data', (chunk) => {
      said += chunk
    })
    await eventually(
      'it is up and has said why',
      () => said.includes('firstboot is up') && said.includes('starting instance'),
    )
    assert.equal(child.exitCode, null)
  })
})

function succeeds(act: () => unknown): boolean {
  try {
    act()
    return true
  } catch {
    return false
  }
}
