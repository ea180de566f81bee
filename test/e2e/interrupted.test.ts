import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import { firstboot, startedBelow } from '../support/daemon.ts'
import { eventually } from '../support/eventually.ts'
import { openTestMachine, type TestMachine } from '../support/test-machine.ts'

// Ctrl-C before a daemon has said that it is up: the machine is then as it was before.

const INVENTORY = fileURLToPath(new URL('interrupted.yaml', import.meta.url))

let machine: TestMachine
const directory = mkdtempSync(join(tmpdir(), 'firstboot-interrupted-'))
before(async () => {
  machine = await openTestMachine()
  // The first namespace of a machine brings a mount that stays.
  machine.run('ip', 'netns', 'add', 'first')
  machine.run('ip', 'netns', 'delete', 'first')
})
after(async () => {
  await machine.stop()
  rmSync(directory, { recursive: true, force: true })
})

/** Where the files of one run are, and what namespaces there are. */
interface Look {
  readonly state: string
  readonly namespaces: readonly string[]
}

const isThere =
  (...path: readonly string[]) =>
  ({ state }: Look) =>
    existsSync(join(state, ...path))
const areThere =
  (name: RegExp, count: number) =>
  ({ namespaces }: Look) =>
    namespaces.filter((each) => name.test(each)).length >= count

const moments: readonly {
  readonly name: string
  readonly isNow: (look: Look) => boolean
  /** Ctrl-C once more while it ends. */
  readonly isRepeated?: true
}[] = [
  { name: 'when it has only begun', isNow: isThere('lock') },
  { name: 'when the socket keeper is there', isNow: isThere('run', 'sockets') },
  { name: 'when the operator can ask', isNow: isThere('run', 'management') },
  { name: 'when the first namespace is made', isNow: areThere(/^q/, 1) },
  { name: 'when the first guest starts', isNow: areThere(/^instance-/, 1) },
  { name: 'when the second guest starts, twice', isNow: areThere(/^instance-/, 2), isRepeated: true },
]

describe('Ctrl-C before firstboot up is up', () => {
  for (const { name, isNow, isRepeated } of moments)
    it(`${name} leaves the machine as it was`, async () => {
      const state = join(directory, name.replaceAll(' ', '-'))
      const untouched = remains()
      const { child, said, interrupt } = start('up', '-f', INVENTORY, '--state-dir', state)
      const ended = once(child, 'exit')
      await eventually(name, () => isNow({ state, namespaces: namespaces() }) || child.exitCode !== null)
      interrupt()
      if (isRepeated) {
        await eventually('it ends', () => said().includes('taking namespaces'))
        interrupt()
      }
      const [code] = await ended
      // What was being started just then, and had no session of its own yet, is reached by it too.
      if (code !== 0) assert.match(said(), /it ended with SIGINT$/m)
      else assert.match(said(), /^SIGINT: taking namespaces and bridges away; records and leases stay in \S+$/m)
      await eventually('nothing is left', () => isDeepStrictEqual(remains(), untouched)).catch(() => undefined)
      assert.deepEqual(remains(), untouched)
      assert.deepEqual(running(state), [])
    })

  /** As a terminal's Ctrl-C does, which tells all processes of a group. */
  function start(...args: readonly string[]) {
    const child = machine.start(['setsid', '--wait', ...firstboot(...args)], { stdio: ['ignore', 'ignore', 'pipe'] })
    let said = ''
    child.stderr?.on('data', (chunk) => {
      said += chunk
    })
    const interrupt = () => {
      const group = startedBelow(child.pid) ?? assert.fail(`it has ended: ${said}`)
      process.kill(-group, 'SIGINT')
    }
    return { child, said: () => said, interrupt }
  }

  /** What a run may leave, as the machine's own programs show it. */
  function remains() {
    const lines = (...command: readonly [string, ...string[]]) =>
      machine
        .run(...command)
        .trim()
        .split('\n')
        .sort()
    return {
      links: lines('ip', '-brief', 'link'),
      namespaces: namespaces(),
      processes: lines('ps', '-eo', 'args', '--no-headers').filter((line) => !line.startsWith('ps ')),
      mounts: lines('cat', '/proc/mounts'),
      rules: lines('nft', 'list', 'ruleset'),
    }
  }

  /** What a run has in its directory as long as it runs. */
  function running(state: string) {
    const files = readdirSync(join(state, 'run'), { recursive: true, withFileTypes: true })
    return files.filter((each) => !each.isDirectory()).map(({ name }) => name)
  }

  /** Read from outside: a program would come too late. */
  function namespaces(): readonly string[] {
    const names = `/proc/${machine.pid}/root/run/netns`
    return existsSync(names) ? readdirSync(names).sort() : []
  }
})
