import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { globSync, readFileSync, readlinkSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { afterEach, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { mayBeAnyone } from '../bootstrap/privilege.js'
import { firstboot } from './support/daemon.ts'
import { eventually } from './support/eventually.ts'
import { openTestMachine } from './support/test-machine.ts'

const project = fileURLToPath(new URL('..', import.meta.url))
const MACHINE = new URL('support/test-machine.ts', import.meta.url).href
const SANDBOXED = fileURLToPath(new URL('../bootstrap/sandboxed.js', import.meta.url))

describe('a sandbox', () => {
  it('keeps namespaces, interfaces and mounts of the field’s names to itself', async () => {
    const network = randomUUID()
    const script = `ip netns add qdhcp-${network}
      ip link add brq${network.slice(0, 11)} type bridge
      ip netns list; ip -br link; cat /proc/self/mountinfo`
    const inside = await runSandboxed('sh', '-c', script)
    for (const seen of [`qdhcp-${network}`, `brq${network.slice(0, 11)}`, `/run/netns/qdhcp-${network}`])
      assert.ok(inside.stdout.includes(seen), `${seen} exists inside`)
    assert.match(inside.stdout, /^lo +UNKNOWN .*<LOOPBACK,UP/m)

    const outside = [execFileSync('ip', ['netns', 'list']), execFileSync('ip', ['link'])].join('\n')
    assert.ok(!`${outside}${readFileSync('/proc/self/mountinfo', 'utf8')}`.includes(network.slice(0, 11)))
  })

  const ends = [
    { name: 'success', script: 'exit 0', want: 0 },
    { name: 'failure', script: 'exit 7', want: 7 },
    { name: 'a signal', script: 'kill -KILL $$', want: 137 },
    { name: 'a program that does not exist', script: 'exec no-such-program', want: 127 },
  ]
  for (const { name, script, want } of ends)
    it(`passes on ${name} as exit code ${want}`, async () =>
      assert.equal((await runSandboxed('sh', '-c', script)).code, want))

  it('says FIRSTBOOT_SANDBOX=1 and finds the programs of the system’s folders', async () => {
    const { stdout } = await runSandboxed('sh', '-c', 'echo $FIRSTBOOT_SANDBOX; command -v dnsmasq')
    assert.match(stdout, /^1\n\/.*dnsmasq\n$/)
  })

  it('lets others in, where they stand', async () => {
    const machine = await openTestMachine()
    try {
      machine.run('ip', 'netns', 'add', 'qdhcp-entered')
      assert.equal(
        machine.run('sh', '-c', 'ip netns list; pwd; echo $FIRSTBOOT_SANDBOX'),
        `qdhcp-entered\n${process.cwd()}\n1\n`,
      )
    } finally {
      await machine.stop()
    }
  })

  it('lets others in from a chroot, and then not out of it', async () => {
    const script = `import { openTestMachine } from ${JSON.stringify(MACHINE)}
      const machine = await openTestMachine()
      machine.run('touch', '/run/made-inside')
      console.log(machine.run('ls', '/run'))
      await machine.stop()`
    const chroot = 'mkdir /run/root && mount --rbind / /run/root && chroot /run/root "$@" && ls /run'
    const node = [process.execPath, '--input-type=module', '--eval', script]
    const { stdout, stderr } = await runSandboxed('sh', '-c', chroot, 'sh', ...node)
    assert.equal(stdout.match(/made-inside/g)?.length, 1, `${stdout}${stderr}`)
  })

  it('knows firstboot, installed or not', async () => {
    const [program, ...words] = firstboot('sandbox', '--', 'firstboot', 'exec', '--help')
    const said = execFileSync(program, words, { encoding: 'utf8', env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' } })
    assert.match(said, /^Usage: firstboot exec /m)
  })

  it('gives its command time to end by itself', async () => {
    const outer = startSandboxed('sh', '-c', `trap 'echo ending; exit 5' TERM; echo up; while :; do sleep 0.05; done`)
    await saying(outer, 'up')
    outer.kill('SIGTERM')
    assert.deepEqual(await once(outer, 'exit'), [5, null])
  })

  it('leaves Ctrl-C to its command', async () => {
    const script = `trap 'exit 5' INT; trap 'exit 6' TERM; echo up; while :; do sleep 0.05; done`
    // `script` starts the command by $SHELL, and a dash that stays in between would end by the Ctrl-C itself.
    const command = `exec '${process.execPath}' '${SANDBOXED}' sh -c "${script}"`
    const terminal = spawn('script', ['--quiet', '--return', '--command', command, '/dev/null'])
    await saying(terminal, 'up')
    terminal.stdin.write('\x03')
    assert.deepEqual(await once(terminal, 'exit'), [5, null])
  })

  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGKILL'] as const)
    it(`leaves nothing behind after ${signal}`, async () => {
      const marker = randomUUID()
      const loop = 'while :; do sleep 1000; done'
      const script = `ip netns add qdhcp-${marker}
        ip netns exec qdhcp-${marker} sh -c '${loop}' ${marker} &
        setsid sh -c '${loop}' ${marker} >/dev/null 2>&1 &
        readlink /proc/self/ns/net /proc/self/ns/pid /proc/self/ns/mnt
        echo up; ${loop}`
      const outer = startSandboxed('sh', '-c', script, marker)
      const said = await saying(outer, 'up')
      const namespaces = said.match(/\w+:\[\d+\]/g) ?? []
      assert.equal(namespaces.length, 3)
      assert.ok(processesWith(marker).length >= 3, 'the marked processes run')

      const ended = once(outer, 'exit')
      outer.kill(signal)
      await ended
      await eventually('every process of the sandbox is gone', () => processesWith(marker).length === 0)
      await eventually('its namespaces are empty', () => namespaces.every((it) => !isInhabited(it)))
      assert.ok(!readFileSync('/proc/self/mountinfo', 'utf8').includes(marker))
    })
})

describe('a sandbox of a plain user', {
  skip: !mayBeAnyone() && 'it takes root to become a plain user; as one, every test here shows it',
}, () => {
  it('is root inside and has the field’s names', async () => {
    const { stdout, stderr } = await asPlainUser(
      'sh',
      '-c',
      'ip netns add qdhcp-1 && ip netns exec qdhcp-1 ip -br link; id -u',
    )
    assert.match(stdout, /^lo .*\n0\n$/, stderr)
  })

  it('leaves nothing behind after SIGKILL', async () => {
    const marker = randomUUID()
    const outer = startAsPlainUser('sh', '-c', 'echo up; while :; do sleep 1000; done', marker)
    await saying(outer, 'up')
    const [usersNode = 0, ...others] = processesWith(marker).filter((pid) => commandLine(pid).startsWith(NODE_AT_USER))
    assert.deepEqual(others, [])
    process.kill(usersNode, 'SIGKILL')
    await eventually('every process of the sandbox is gone', () => processesWith(marker).length === 0)
  })
})

describe('where no sandbox can be made', () => {
  it('says why and what to do', async () => {
    const powerless = ['--bounding-set=-all', '--inh-caps=-all', '--securebits=+noroot', '--']
    const script = 'echo 0 >/proc/sys/user/max_user_namespaces && exec setpriv "$@"'
    const outer = spawn('unshare', [
      '--user',
      '--map-root-user',
      'sh',
      '-c',
      script,
      'sh',
      ...powerless,
      process.execPath,
      SANDBOXED,
      'true',
    ])
    const { code, stderr } = await outcome(outer)
    assert.equal(code, 1)
    assert.match(stderr, /number of user namespaces is limited to none/)
    assert.match(stderr, /sysctl -w user\.max_user_namespaces=\d+/)
    assert.doesNotMatch(stderr, /\n {4}at /, 'no stack trace')
  })
})

interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** What a test has started: a failed one must not leave it running. */
const started = new Set<ChildProcess>()
afterEach(() => {
  for (const child of started) child.kill('SIGKILL')
  started.clear()
})

function startSandboxed(...command: readonly string[]): ChildProcess {
  const outer = spawn(process.execPath, [SANDBOXED, ...command], { stdio: ['ignore', 'pipe', 'pipe'] })
  started.add(outer)
  return outer
}

function runSandboxed(...command: readonly string[]): Promise<Outcome> {
  return outcome(startSandboxed(...command))
}

/** Within a sandbox that has the project where every user can read it. */
const PROJECT_AT_USER = '/run/project'
const NODE_AT_USER = `${PROJECT_AT_USER}/node_modules/.bin/node`

function startAsPlainUser(...command: readonly string[]): ChildProcess {
  const script = `mkdir ${PROJECT_AT_USER} && mount --bind "$0" ${PROJECT_AT_USER} && cd / && exec "$@"`
  const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--']
  const inner = [NODE_AT_USER, `${PROJECT_AT_USER}/bootstrap/sandboxed.js`, ...command]
  return startSandboxed('sh', '-c', script, project, ...nobody, ...inner)
}

function asPlainUser(...command: readonly string[]): Promise<Outcome> {
  return outcome(startAsPlainUser(...command))
}

async function outcome(child: ChildProcess): Promise<Outcome> {
  const [[code], stdout, stderr] = await Promise.all([
    once(child, 'exit') as Promise<[number | null]>,
    child.stdout ? text(child.stdout) : '',
    child.stderr ? text(child.stderr) : '',
  ])
  return { code, stdout, stderr }
}

/** Waits until the program has written a line. @returns everything it wrote so far */
function saying(child: ChildProcess, line: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  let said = ''
  child.stdout?.on('data', (chunk) => {
    said += chunk
    if (said.split(/\r?\n/).includes(line)) resolve(said)
  })
  child.once('exit', () => reject(new Error(`It ended without saying ${line}: ${said}`)))
  return promise
}

function processesWith(marker: string): number[] {
  return processes().filter((pid) => commandLine(pid).includes(marker))
}

function isInhabited(namespace: string): boolean {
  const kind = namespace.split(':')[0]
  return processes().some((pid) => tolerant(() => readlinkSync(`/proc/${pid}/ns/${kind}`)) === namespace)
}

function commandLine(pid: number): string {
  return tolerant(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8'))
}

function processes(): number[] {
  return globSync('[0-9]*', { cwd: '/proc' }).map(Number)
}

/** A process may end while one looks at it. */
function tolerant(look: () => string): string {
  try {
    return look()
  } catch {
    return ''
  }
}
