import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Daemon, startDaemon } from '../support/daemon.ts'
import { eventually } from '../support/eventually.ts'
import { openTestMachine, type TestMachine } from '../support/test-machine.ts'

const LAB = fileURLToPath(new URL('../../examples/lab.yaml', import.meta.url))
const URL_ASKED = 'http://169.254.169.254/latest/meta-data/hostname'

/** Asks every 20 ms, each time on a new connection, until `/run/asked-enough` is there. Prints what was not a 200. */
const ASKING = `n=0; while [ ! -e "$0" ]; do
  n=$((n+1)); curl -s -o /dev/null --max-time 10 -w '%{http_code}\\n' ${URL_ASKED} | grep -v 200; sleep 0.02
done; echo "asked $n times"`

describe('a guest that asks all the time', () => {
  const directory = mkdtempSync(join(tmpdir(), 'firstboot-restart-'))
  const state = join(directory, 'state')
  const enough = join(directory, 'enough')
  let machine: TestMachine
  let up: Daemon
  before(async () => {
    machine = await openTestMachine()
    up = startDaemon(machine, 'up', '-f', LAB, '--state-dir', state)
    await up.saying('firstboot is up')
  })
  after(async () => {
    await machine?.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  /** The shell looks for nothing that names itself. */
  const pidOf = (name: string) =>
    machine
      .run('sh', '-c', `pgrep -f 'firstboot[.]js ${name}' || true`)
      .split('\n')
      .filter((line) => line !== '')

  it('is answered by a process without capabilities, and which can get none', () => {
    const status = machine.run('cat', `/proc/${pidOf('metadata-proxy')[0]}/status`)
    for (const field of ['CapEff', 'CapPrm', 'CapBnd', 'CapInh', 'CapAmb'])
      assert.match(status, new RegExp(`^${field}:\\s+0+$`, 'm'))
    assert.match(status, /^NoNewPrivs:\s+1$/m)
  })

  it('is never refused while firstboot and the process that answers are killed and come back', async () => {
    const guest = guestOf(machine)
    await eventually('the guest has its lease', () =>
      machine.run('ip', '-n', guest, 'route').includes('169.254.169.254'),
    )
    const asking = machine.start(['ip', 'netns', 'exec', guest, 'sh', '-c', ASKING, enough], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const said = collect(asking.stdout)

    assert.equal(await up.end('SIGKILL'), 'SIGKILL')
    const [orphan] = pidOf('metadata-proxy')
    up = startDaemon(machine, 'up', '--state-dir', state)
    await up.saying('firstboot is up')
    await eventually(
      'the process of the earlier run has retired',
      () => !pidOf('metadata-proxy').includes(orphan ?? ''),
    )

    const [killed = ''] = pidOf('metadata-proxy')
    machine.run('kill', '-KILL', killed)
    await eventually('another one answers', () => pidOf('metadata-proxy').some((pid) => pid !== killed))
    machine.run('touch', enough)
    const answers = await said
    // The one request that the killed process had in hand is lost with it; no other, and none to the death of `up`.
    assert.match(answers, /^(000\n)?asked \d+ times\n$/)
    assert.ok(Number(/asked (\d+)/.exec(answers)?.[1]) > 5, answers)
  })

  it('is served again when the keeper of its socket is killed', async () => {
    const guest = guestOf(machine)
    machine.run('pkill', '-KILL', '-f', 'firstboot.js socket-keeper')
    const ask = ['curl', '-s', '-o', '/dev/null', '--max-time', '5', '-w', '%{http_code}', URL_ASKED]
    await eventually(
      'metadata is back',
      () => machine.run('sh', '-c', 'ip netns exec "$@" || true', 'sh', guest, ...ask) === '200',
    )
  })

  it('finds nothing left when firstboot has ended', async () => {
    assert.equal(await up.end('SIGINT'), 0)
    assert.equal(machine.run('ip', 'netns'), '')
    assert.deepEqual(pidOf('metadata-proxy'), [])
    // It hangs up by ending, so it may be there an instant longer than who waits for that.
    await eventually('the keeper is gone', () => pidOf('socket-keeper').length === 0)
  })
})

function guestOf(machine: TestMachine): string {
  return /instance-\S+/.exec(machine.run('ip', 'netns'))?.[0] ?? ''
}

async function collect(stream: NodeJS.ReadableStream | null | undefined): Promise<string> {
  let said = ''
  for await (const chunk of stream ?? []) said += chunk
  return said
}
