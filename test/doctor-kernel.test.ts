import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import type { Examined } from '../src/doctor/examine.ts'
import { firstboot, startDaemon } from './support/daemon.ts'
import { eventually } from './support/eventually.ts'
import { openTestMachine, type TestMachine } from './support/test-machine.ts'

/**
 * Real faults, made with the tools an operator has, and what doctor says of them. Two state directories: of `gone` only
 * the mark is left, on `kept` something runs.
 */
const folder = mkdtempSync(join(tmpdir(), 'firstboot-doctor-'))
const kept = join(folder, 'kept')
const gone = join(folder, 'gone')
const EXAMPLE = new URL('../examples/shop.yaml', import.meta.url).pathname

let machine: TestMachine
const strangers: ChildProcess[] = []
before(async () => {
  machine = await openTestMachine()
})
after(async () => {
  for (const each of strangers) each.kill('SIGKILL')
  await machine?.stop()
  rmSync(folder, { recursive: true, force: true })
})

interface Told {
  readonly code: number
  readonly examined: readonly Examined[]
  /** The checks that are not well, each with everything it said. */
  readonly bad: ReadonlyMap<string, string>
}

async function doctor(env: Readonly<Record<string, string>> = {}): Promise<Told> {
  const child = machine.start(firstboot('doctor', '--json', '--state-dir', kept), {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [said, [code]] = await Promise.all([text(child.stdout ?? assert.fail()), once(child, 'close')])
  const { examined } = JSON.parse(said) as { examined: readonly Examined[] }
  const bad = Map.groupBy(
    examined.filter(({ severity }) => severity !== 'ok' && severity !== 'unknown'),
    ({ check }) => check,
  )
  const lines = ({ severity, observed, mend }: Examined) => `${severity}: ${observed}; ${mend}`
  return { code, examined, bad: new Map([...bad].map(([check, all]) => [check, all.map(lines).join('\n')])) }
}

/** Groups about this machine's network; what programs and rights a test machine has is not the question. */
const OF_THE_NETWORK = /^(leftovers|clashes|state|configuration)\//
const network = ({ bad }: Told) => [...bad.keys()].filter((check) => OF_THE_NETWORK.test(check))

/** A program that listens and says so. Resolves when it does. */
async function listening(command: readonly [string, ...string[]], env: Readonly<Record<string, string>> = {}) {
  const child = machine.start(command, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } })
  strangers.push(child)
  await Promise.race([once(child.stdout ?? assert.fail(), 'data'), once(child.stderr ?? assert.fail(), 'data')])
}

const server = (where: string): [string, string, string] => [
  process.execPath,
  '-e',
  `require('node:net').createServer().listen(${where}, () => console.log('listens'))`,
]

describe('doctor on a machine that serves', () => {
  it('finds nothing wrong while firstboot runs, and what is left when it was killed', async () => {
    const up = startDaemon(machine, 'up', '--file', EXAMPLE, '--state-dir', kept)
    await up.saying('firstboot is up')
    const running = await doctor()
    assert.deepEqual(network(running), [], [...running.bad.values()].join('\n'))

    await up.end('SIGKILL')
    const killed = await doctor()
    assert.deepEqual(network(killed), ['state/sockets', 'leftovers/marked'])
    assert.match(
      killed.bad.get('leftovers/marked') ?? '',
      /warning: namespace qdhcp-\S+ is of \S+kept, on which nobody runs/,
    )

    const again = startDaemon(machine, 'up', '--state-dir', kept)
    await again.saying('firstboot is up')
    await again.end('SIGTERM')
    assert.deepEqual(network(await doctor()), [])
  })
})

describe('doctor on a machine with many faults', () => {
  let told: Told
  before(async () => {
    // What a deleted state directory leaves.
    machine.run('ip', 'netns', 'add', 'qdhcp-left')
    machine.run('ip', '-n', 'qdhcp-left', 'link', 'set', 'lo', 'up', 'alias', `firstboot:${gone}`)
    machine.run('ip', 'link', 'add', 'brqleft', 'type', 'bridge')
    machine.run('ip', 'link', 'set', 'brqleft', 'up', 'alias', `firstboot:${gone}`)
    machine.run('ip', 'address', 'add', '10.99.0.1/24', 'dev', 'brqleft')
    machine.run('touch', '/run/netns/qdhcp-nothing')
    // Strangers.
    await listening(['ip', 'netns', 'exec', 'qdhcp-left', ...server('80')])
    await listening(server(`8775, '127.0.0.1'`))
    machine.run(
      'dnsmasq',
      '--user=root',
      '--conf-file=/dev/null',
      '--interface=brqleft',
      '--bind-interfaces',
      '--port=0',
      '--dhcp-range=10.99.0.10,10.99.0.20',
      `--pid-file=${folder}/stranger`,
    )
    // A dnsmasq of ours whose namespace was deleted.
    const dhcp = join(kept, 'dhcp', 'n1')
    mkdirSync(dhcp, { recursive: true })
    machine.run('ip', 'netns', 'add', 'qdhcp-deleted')
    machine.run('ip', '-n', 'qdhcp-deleted', 'link', 'set', 'lo', 'up')
    machine.run(
      'nsenter',
      '--net=/run/netns/qdhcp-deleted',
      'dnsmasq',
      '--user=root',
      '--conf-file=/dev/null',
      '--port=0',
      '--interface=lo',
      '--dhcp-range=127.0.0.1,static',
      `--pid-file=${dhcp}/pid`,
    )
    await eventually('dnsmasq runs', () => existsSync(join(dhcp, 'pid')))
    machine.run('ip', 'netns', 'delete', 'qdhcp-deleted')
    // A socket whose process was killed.
    const socket = JSON.stringify(join(kept, 'run', 'metadata_proxy'))
    const dies = `require('node:net').createServer().listen(${socket}, () => process.kill(process.pid, 'SIGKILL'))`
    await once(machine.start([process.execPath, '-e', dies], { stdio: 'ignore' }), 'close')
    machine.run('sysctl', '-qw', 'net.ipv6.conf.all.disable_ipv6=1')
    writeFileSync(join(kept, 'metadata_proxy_shared_secret'), 'secret', { mode: 0o644 })
    // Both as their units would start them, with secrets that somebody typed.
    const daemon = (name: string, secret: string, ...flags: readonly string[]) =>
      listening(firstboot(name, '--state-dir', kept, ...flags), { FIRSTBOOT_METADATA_PROXY_SHARED_SECRET: secret })
    await daemon('metadata-api', 'one', '--metadata-listen-port', '8776', '--no-service-metadata-proxy')
    await daemon('metadata-agent', 'two', '--metadata-proxy-socket', join(folder, 'agent'))
    told = await doctor({ FIRSTBOOT_DHCP_DOMIAN: 'x', FIRSTBOOT_DNS_DOMAIN: 'x' })
  })

  const cases: readonly (readonly [check: string, says: RegExp])[] = [
    ['leftovers/marked', /error: namespace qdhcp-left is of \S+gone, which is no more; ip netns delete qdhcp-left/],
    ['leftovers/marked', /error: bridge brqleft is of \S+gone, which is no more; ip link delete brqleft/],
    ['leftovers/names', /behind qdhcp-nothing there is none/],
    ['leftovers/dnsmasq', /process \d+ serves \S+kept\/dhcp\/n1 in a namespace without a name/],
    [
      'clashes/metadata-address',
      /in qdhcp-left process \d+ \(\S*node -e .*\) listens on \[::\]:80; stop it \(kill \d+\)/,
    ],
    ['clashes/metadata-api-port', /process \d+ \(\S*node .*\) listens on 127\.0\.0\.1:8775/],
    ['clashes/dhcp', /dnsmasq \d+ answers on brqleft/],
    ['state/sockets', /nobody listens on \S+kept\/run\/metadata_proxy; who made it was killed/],
    ['state/secret-mode', /0644; chmod 600/],
    ['kernel/ipv6', /switched off/],
    [
      'configuration/shared-secret',
      /that of firstboot metadata-agent \(process \d+\) differs from that of firstboot metadata-api/,
    ],
    ['configuration/variables', /FIRSTBOOT_DHCP_DOMIAN: nobody reads it; write FIRSTBOOT_DHCP_DOMAIN/],
  ]
  for (const [check, says] of cases)
    it(`names it: ${says.source.slice(0, 60)}`, () => assert.match(told.bad.get(check) ?? 'nothing', says))

  it('says nothing else of the network, and ends with 1', () => {
    assert.deepEqual(
      network(told).toSorted(),
      [...new Set(cases.map(([check]) => check))].filter((check) => OF_THE_NETWORK.test(check)).toSorted(),
    )
    assert.equal(told.code, 1)
  })
})
