import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { hasProgram } from '../../bootstrap/programs.js'
import { type Daemon, firstboot, startDaemon, startService } from '../support/daemon.ts'
import { noSandbox } from '../support/datapath-machine.ts'
import { type NotifyInbox, openNotifyInbox } from '../support/notify-inbox.ts'
import type { Chassis } from './chassis.ts'
import { type Cloud, openCloud } from './cloud.ts'
import { type Nova, openNova, SECRET } from './nova.ts'

/*
 *   chassis-1:  guest (network red)    firstboot ovn-metadata-agent, as a file of neutron's agent configures it
 *                                      nova-api-metadata is played on 127.0.0.1:8775
 */

const RED = 'da5bb487-5193-4a65-a3df-4a0055a8c0d7'
const NETNS = `ovnmeta-${RED}`
const URL = 'http://169.254.169.254/openstack'
const ANSWER = 'instance-red project-red 10.88.0.11'
const PAGES = '127.0.0.1:9464'
const PATIENCE_MILLISECONDS = 40_000
const CURL = ['curl', '--silent', '--show-error', '--write-out', ' %{http_code}'] as const

describe('the OVN metadata agent as a service', { skip: noSandbox }, () => {
  let cloud: Cloud
  let nova: Nova
  let agent: Daemon
  let manager: NotifyInbox
  let state: string
  let file: string
  const one = (): Chassis => cloud.chassis[0]
  const socket = () => join(cloud.directory, 'run/of-agents/metadata_proxy') // which nobody has made

  const start = () => {
    const command = firstboot('ovn-metadata-agent', `--config-file=${file}`, `--state-dir=${state}`)
    agent = startService(one().machine, ['env', `NOTIFY_SOCKET=${manager.path}`, 'WATCHDOG_USEC=400000', ...command])
  }
  const configure = (own: Readonly<Record<string, string>> = {}, secret = SECRET, more: readonly string[] = []) =>
    writeFileSync(
      file,
      [
        '[DEFAULT]',
        'nova_metadata_host = 127.0.0.1',
        `metadata_proxy_shared_secret = ${secret}`,
        `metadata_proxy_socket = ${socket()}`,
        'agent_down_time = 9',
        '[ovs]',
        `ovsdb_connection = ${one().local}`,
        '[ovn]',
        `ovn_sb_connection = ${cloud.southbound.remote}`,
        '[firstboot]',
        `metrics_listen = ${PAGES}`,
        ...Object.entries(own).map(([name, value]) => `${name} = ${value}`),
        ...more,
      ].join('\n'),
    )
  const guest = (...command: readonly string[]) => one().inGuest('red', ...command)
  const ask = (...more: readonly string[]) => guest(...CURL, '--max-time', '2', ...more, URL)
  const answered = (...more: readonly string[]) => until(() => ask(...more), new RegExp(`^${ANSWER} 200$`))
  const page = (path: string) => one().output(...CURL, '--max-time', '20', `http://${PAGES}${path}`)
  const ours = (...args: readonly string[]) => one().output(...firstboot(...args, `--state-dir=${state}`))

  before(async () => {
    cloud = await openCloud()
    state = join(cloud.directory, 'state')
    file = join(cloud.directory, 'neutron_ovn_metadata_agent.ini')
    nova = await openNova(cloud.chassis.map(({ machine }) => machine))
    await cloud.addNetwork({ id: RED, cidrs: '10.88.0.2/24', mac: 'fa:16:3e:00:00:02' })
    const mac = 'fa:16:3e:00:01:01'
    const cidrs = '10.88.0.11/24'
    await cloud.addPort({ network: RED, id: 'red', mac, cidrs, instance: 'instance-red', project: 'project-red' })
    await one().plug({ name: 'red', logicalPort: 'red', mac, cidrs: [cidrs] })
    configure()
    manager = openNotifyInbox(join(cloud.directory, 'notify'))
  })
  after(async () => {
    await agent?.end('SIGINT')
    manager?.close()
    await nova?.close()
    await cloud?.close()
  })

  it('takes requests and says what it waits for while there is no database', async () => {
    await one().kill('ovsdb-server')
    start()
    await manager.hears(/^READY=1$/)
    await manager.hears(/^WATCHDOG=1$/)
    await until(() => page('/readyz'), /Open_vSwitch: it is not connected: /)
    assert.match(await page('/readyz'), /OVN_Southbound: it is asked when [\s\S]*reconcile: .*\s+503$/)
    assert.match(await page('/healthz'), /^ok\s+200$/)
    assert.match(await ours('datapath', 'status'), /the databases are waited for\. Open_vSwitch: it is not connected/)
    await one().start('ovsdb-server')
    await agent.saying('serves the networks of chassis chassis-1')
    await answered()
    await until(() => page('/readyz'), /\s200$/)
  })

  it('shows its databases, networks and requests to Prometheus', async () => {
    const sample = async (line: string) =>
      Number(new RegExp(`^${line.replace(/[{}]/g, '\\$&')} (\\S+)`, 'm').exec(await page('/metrics'))?.[1])
    const of = (name: string, labels = '') => sample(`${name}{daemon="ovn-metadata-agent"${labels}}`)
    for (const database of ['Open_vSwitch', 'OVN_Southbound'])
      assert.equal(await of('firstboot_ovsdb_synchronized', `,database="${database}"`), 1)
    // The guest, and the metadata port.
    assert.equal(await of('firstboot_ovsdb_rows', ',database="OVN_Southbound",table="Port_Binding"'), 2)
    await until(async () => `${await of('firstboot_networks')}`, /^1$/)
    assert.deepEqual([await of('firstboot_ports'), await of('firstboot_networks_unserved')], [1, 0])
    assert.ok((await of('firstboot_reconcile_pass_duration_seconds_count')) > 0)
    const requests = () =>
      sample('firstboot_requests_total{daemon="ovn-metadata-agent",path="listing",method="GET",status="200"}')
    const before = await requests()
    await answered()
    assert.ok((await requests()) > before, await page('/metrics'))
  })

  it('records what guests ask', async () => {
    const said = await until(() => ours('requests', 'instance-red', '--json'), /"daemon":\s*"ovn-metadata-agent"/)
    assert.match(said, /"from":\s*"10\.88\.0\.11"/)
  })

  it('answers by a haproxy once a file and SIGHUP say so', {
    skip: !hasProgram('haproxy') && 'no haproxy',
  }, async () => {
    configure({ metadata_proxy_driver: 'haproxy' })
    agent.signal('SIGHUP')
    await agent.saying('SIGHUP: metadata_proxy_driver: native -> haproxy')
    await manager.hears(/^RELOADING=1/)
    await answered()
    const listening = one().machine.run('ip', 'netns', 'exec', NETNS, 'ss', '-ltnpH')
    assert.match(listening, /169\.254\.169\.254:80 .*"haproxy"/)
    assert.match(await ours('datapath', 'status'), new RegExp(`${NETNS} .*haproxy`))
    // What a guest sends in the place of haproxy's own headers goes no further.
    const forged = [
      'X-OVN-Network-ID: x',
      'X-Neutron-Network-ID: x',
      'X-Neutron-Router-ID: x',
      'X-Forwarded-For: 1.2.3.4',
    ]
    assert.equal(await ask(...forged.flatMap((field) => ['-H', field])), `${ANSWER} 200`)
  })

  it('is restarted without a guest that is refused, and finds its haproxy again', {
    skip: !hasProgram('haproxy') && 'no haproxy',
  }, async () => {
    const pids = () => one().machine.run('ip', 'netns', 'pids', NETNS)
    const before = pids()
    assert.equal(await agent.end('SIGTERM'), 0, agent.said())
    start()
    await agent.saying('serves the networks')
    await answered()
    assert.equal(pids(), before)
  })

  it('goes back to sockets of its own, by hand', async () => {
    assert.match(await ours('datapath', 'set', 'metadata_proxy_driver=native'), /haproxy -> native|as before/)
    await answered()
    assert.doesNotMatch(one().machine.run('ip', 'netns', 'exec', NETNS, 'ss', '-ltnpH'), /haproxy/)
    configure()
  })

  it('refuses no guest from SIGTERM until the next one serves', async () => {
    const said = new Set<string>()
    const asking = new AbortController()
    const crawl = (async () => {
      while (!asking.signal.aborted) said.add(await guest(...CURL, '--max-time', '15', URL))
    })()
    assert.equal(await agent.end('SIGTERM'), 0, agent.said())
    start()
    await agent.saying('serves the networks')
    await answered()
    asking.abort()
    await crawl
    assert.deepEqual(said, new Set([`${ANSWER} 200`]))
  })

  it('signs with another secret after SIGHUP, and keeps the old one where the file makes no sense', async () => {
    configure({}, 'another')
    agent.signal('SIGHUP')
    await until(ask, / 403$/)
    assert.doesNotMatch(agent.said(), /another/)
    configure({ log_level: 'nonsense' })
    agent.signal('SIGHUP')
    await agent.saying('"nonsense" is none of')
    assert.match(await ask(), / 403$/)
    configure()
    agent.signal('SIGHUP')
    await answered()
  })

  it('refuses what is no database’s address at SIGHUP, too, and says which options wait for the next start', async () => {
    const written = readFileSync(file, 'utf8')
    writeFileSync(file, written.replace(/^ovsdb_connection = .*$/m, 'ovsdb_connection = foo'))
    agent.signal('SIGHUP')
    await agent.saying('SIGHUP: --ovsdb-connection (FIRSTBOOT_OVSDB_CONNECTION): ')
    writeFileSync(file, written.replace(/^ovsdb_connection = .*$/m, 'ovsdb_connection = tcp:127.0.0.1:6640'))
    agent.signal('SIGHUP')
    await agent.saying('-> tcp:127.0.0.1:6640 (counts from the next start on)')
    writeFileSync(file, written)
    agent.signal('SIGHUP')
    await answered()
  })

  it('keeps its agent’s socket from a second one, which leaves nothing behind', async () => {
    const elsewhere = join(cloud.directory, 'state-2')
    const args = [`--config-file=${file}`, `--state-dir=${elsewhere}`, '--metrics-listen=']
    const second = startDaemon(one().machine, 'ovn-metadata-agent', ...args)
    assert.equal(await second.end('SIGCONT'), 1)
    assert.match(
      second.said(),
      /metadata_proxy: another metadata agent listens there \(process \d+ \(firstboot ovn-metadata-agent\)\); stop it/,
    )
    assert.deepEqual(readdirSync(join(elsewhere, 'run')), [])
    await answered()
  })

  it('opens its agent’s socket anew when somebody deletes it', async () => {
    rmSync(socket())
    assert.match(await page('/readyz'), /agent socket: \S+metadata_proxy is not there[\s\S]* 503$/)
    await until(() => page('/readyz'), /\s200$/)
    assert.ok(existsSync(socket()))
    assert.match(agent.said(), /the socket is opened anew/)
  })

  it('limits a guest that asks too often, when a file says so', async () => {
    configure({}, SECRET, ['[metadata_rate_limiting]', 'rate_limit_enabled = true'])
    agent.signal('SIGHUP')
    await agent.saying('rate_limit_enabled: false -> true')
    const many = ['--parallel', '--parallel-max', '60', '--max-time', '9', '--output', '/dev/null', `${URL}?[1-150]`]
    // curl shows its progress, too.
    const said = await guest(...CURL, '--write-out', '<%{http_code}>', ...many)
    const statuses = Array.from(said.matchAll(/<(\d+)>/g), ([, status]) => status)
    assert.deepEqual(new Set(statuses), new Set(['200', '429']))
    assert.ok(statuses.filter((status) => status === '200').length >= 60)
  })

  it('logs everything after SIGUSR2', async () => {
    agent.signal('SIGUSR2')
    await agent.saying('the log level is debug now')
  })

  it('takes everything away at SIGINT', async () => {
    assert.equal(await agent.end('SIGINT'), 0, agent.said())
    assert.equal(one().machine.run('ip', 'netns', 'list').includes(NETNS), false)
    assert.doesNotMatch(await one().vsctl('list-ports', 'br-int'), /tapda5bb487/)
    assert.match(await ask(), / 000$/)
    await manager.hears(/^STOPPING=1$/)
  })
})

/** Asks again until the answer is so. @returns that answer @throws with the last one when it does not come */
async function until(read: () => Promise<string>, satisfies: RegExp): Promise<string> {
  const end = performance.now() + PATIENCE_MILLISECONDS
  for (;;) {
    const text = await read()
    if (satisfies.test(text)) return text
    if (performance.now() > end) assert.match(text, satisfies)
    await delay(50)
  }
}
