import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Daemon, firstboot, startDaemon } from '../support/daemon.ts'
import { eventually } from '../support/eventually.ts'
import { openTestMachine, type TestMachine } from '../support/test-machine.ts'

const LAB = fileURLToPath(new URL('../../examples/lab.yaml', import.meta.url))
const METRICS = '127.0.0.1:9464'

describe('what guests ask is recorded', () => {
  const directory = mkdtempSync(join(tmpdir(), 'firstboot-recorded-'))
  const state = join(directory, 'state')
  let machine: TestMachine
  let up: Daemon
  before(async () => {
    machine = await openTestMachine()
    up = startDaemon(machine, 'up', '-f', LAB, '--state-dir', state, '--metrics-listen', METRICS)
    await up.saying('firstboot is up')
    await eventually('every guest has read its meta data', () => {
      const asked = requests()
      return ['blue-1', 'blue-2', 'green-1', 'green-2'].every((name) =>
        asked.some(({ server, path }) => server === name && path.endsWith('/meta_data.json')),
      )
    })
  })
  after(async () => {
    await machine?.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  const ask = (path: string) => machine.run('curl', '-s', '--max-time', '20', `http://${METRICS}${path}`)
  const own = (...args: string[]) => machine.run(...firstboot(...args, '--state-dir', state))
  const requests = (): readonly { server: string; path: string; status: number; hops: unknown[] }[] => {
    try {
      return own('requests', '--json', '--last', '1000')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line))
    } catch {
      return [] // nothing yet
    }
  }

  it('by server, with where the time went', () => {
    const lines = own('requests', 'green-2').trim().split('\n')
    assert.ok(lines.every((line) => line.includes('green-2')))
    assert.match(lines.join('\n'), / 200 .*GET \/openstack\/\S+\/meta_data\.json .*resolve \d+\.\d, answer \d+\.\d/)
  })

  it('as a timeline of the boot', () => {
    assert.match(own('timeline', 'green-2'), /DHCP lease[\s\S]*meta_data\.json 200/)
  })

  it('counted, for all processes on one page', () => {
    const page = ask('/metrics')
    assert.match(page, /^firstboot_requests_total\{daemon="metadata-proxy".*status="200".*\} [1-9]/m)
    assert.match(page, /^firstboot_\w+\{daemon="up".*\} \d/m)
  })

  it('while the host says that all is well', () => {
    assert.match(ask('/healthz'), /^ok/)
    assert.match(ask('/readyz'), /^ok\ninventory: ok\nreconcile: ok/)
  })

  it('and is there after a restart', async () => {
    const before = requests().length
    assert.equal(await up.end(), 0)
    assert.ok(before > 0 && requests().length >= before)
  })
})
