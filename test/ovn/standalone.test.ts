import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { guestRootProblem } from '../../bootstrap/guest-root.js'
import { hasProgram } from '../../bootstrap/programs.js'
import { type Daemon, firstboot, startDaemon } from '../support/daemon.ts'
import { noSandbox } from '../support/datapath-machine.ts'
import { eventually } from '../support/eventually.ts'
import { bootEvidence, bootLightInstance } from '../support/light-instance.ts'
import { type Cloud, openCloud } from './cloud.ts'

/*
 *   chassis-1:  firstboot up --datapath ovn, which writes the Northbound
 *     front 10.0.0.0/24 -- router edge           web: unmodified cloud-init, DHCP by OVN
 *     back  10.0.0.0/24, isolated                db:  udhcpc, DHCP by OVN, the same address as web
 */

const INVENTORY = fileURLToPath(new URL('standalone.yaml', import.meta.url))
const SCRIPT = fileURLToPath(new URL('../support/udhcpc-script.sh', import.meta.url))

const PAGES = '127.0.0.1:9464'
const PAGES_OPTION = `--metrics-listen=${PAGES}`

interface Server {
  readonly id: string
  readonly name: string
  readonly ports: readonly string[]
}
interface Port {
  readonly id: string
  readonly mac_address: string
}

describe('firstboot up on OVN, without Neutron', { skip: noSandbox }, () => {
  let cloud: Cloud
  let up: Daemon
  let state: string
  const records = <T>(noun: string): readonly T[] => {
    const [program = '', ...args] = firstboot('list', noun, '--json', `--state-dir=${state}`)
    return JSON.parse(execFileSync(program, args, { encoding: 'utf8' })) as readonly T[]
  }
  const one = () => cloud.chassis[0]

  /** Without DHCP. */
  async function raise(name: string): Promise<void> {
    await plug(name)
    await one().inGuest(name, 'ip', 'link', 'set', 'eth0', 'up')
    await one().inGuest(name, 'ip', 'address', 'add', '10.0.0.11/24', 'dev', 'eth0')
    await one().inGuest(name, 'ip', 'route', 'add', '169.254.169.254/32', 'dev', 'eth0')
  }

  async function plug(name: string): Promise<Server> {
    const server = records<Server>('servers').find((each) => each.name === name)
    const port = records<Port>('ports').find(({ id }) => id === server?.ports[0])
    assert.ok(server && port)
    await one().plug({ name, logicalPort: port.id, mac: port.mac_address, cidrs: [] })
    return server
  }

  const metadata = (guest: string) =>
    one().inGuest(guest, 'curl', '-sS', '--max-time', '2', 'http://169.254.169.254/openstack/latest/meta_data.json')

  const begin = (...more: readonly string[]) => {
    const remotes = [`--ovsdb-connection=${one().local}`, `--ovn-nb-connection=unix:${cloud.directory}/nb.sock`]
    up = startDaemon(one().machine, 'up', '--datapath=ovn', `--state-dir=${state}`, PAGES_OPTION, ...remotes, ...more)
  }
  const start = async (...more: readonly string[]) => {
    begin(...more)
    await up.saying('firstboot is up')
  }

  before(async () => {
    cloud = await openCloud()
    state = join(cloud.directory, 'state')
    await start(`--file=${INVENTORY}`)
  })
  after(async () => {
    await up?.end('SIGINT')
    await cloud?.close()
  })

  it('writes networks, ports and DHCP as ML2/OVN does', async () => {
    const options = await cloud.nb('--bare', '--columns=options', 'list', 'DHCP_Options')
    assert.match(options, /classless_static_route={169\.254\.169\.254\/32,10\.0\.0\.2, 0\.0\.0\.0\/0,10\.0\.0\.1}/)
    assert.match(options, /dns_server={192\.0\.2\.53}/)
    assert.match(options, /router=10\.0\.0\.1/)
    const ports = await cloud.nb('--bare', '--columns=type', 'list', 'Logical_Switch_Port')
    assert.deepEqual(ports.split(/\s+/).filter(Boolean).sort(), ['localport', 'localport', 'router'])
    assert.match(await cloud.nb('show'), /router .*neutron-[0-9a-f-]{36}/)
  })

  it('gives a guest its address and the way to metadata by OVN’s DHCP, and answers it', async () => {
    const server = await plug('db')
    const lease = join(cloud.directory, 'db.lease')
    await one().inGuest('db', 'ip', 'link', 'set', 'eth0', 'up')
    const client = ['udhcpc', '-i', 'eth0', '-f', '-n', '-q', '-t', '20', '-T', '1', '-O', 'staticroutes', '-s', SCRIPT]
    const said = await one().inGuest('db', 'env', `LEASE_FILE=${lease}`, 'busybox', ...client)
    assert.match(said, /lease of 10\.0\.0\.11 obtained/)
    assert.equal((await asked(() => metadata('db'))).uuid, server.id)
  })

  it('shows how its databases are, and answers by a haproxy when it is told to', async () => {
    const ask = (path: string) => one().output('curl', '-sS', `http://${PAGES}${path}`)
    for (const database of ['OVN_Northbound', 'OVN_Southbound', 'Open_vSwitch'])
      assert.match(await ask('/metrics'), new RegExp(`ovsdb_synchronized{daemon="up",database="${database}"} 1\n`))
    assert.match(await ask('/readyz'), /^ok\ninventory: ok\nOVN_Northbound: ok\n/)
    const set = (driver: string) =>
      one().output(...firstboot('datapath', 'set', `metadata_proxy_driver=${driver}`, `--state-dir=${state}`))
    if (hasProgram('haproxy')) {
      assert.match(await set('haproxy'), /native -> haproxy/)
      assert.equal((await asked(() => metadata('db'))).name, 'db')
      assert.match(await set('native'), /haproxy -> native/)
    }
    assert.equal((await asked(() => metadata('db'))).name, 'db')
    await one().unplug('db')
  })

  it('boots an unmodified cloud-init behind a router', { skip: guestRootProblem() ?? false }, async () => {
    await plug('web')
    const instance = await bootLightInstance(one().machine, 'web')
    try {
      const seen = bootEvidence(instance)
      assert.match(seen.datasource, /^DataSourceOpenStackLocal/)
      assert.deepEqual(seen.errors, [])
      assert.equal(seen.hostname, 'web')
      assert.match(instance.read('/root/.ssh/authorized_keys'), /alice@shop/)
    } finally {
      await instance.stop()
      await one().unplug('web')
    }
  })

  it('finds all as it should be when it is killed and started again', async () => {
    const rows = () => cloud.nb('--bare', '--columns=_uuid', 'list', 'Logical_Switch_Port')
    const before = await rows()
    await up.end('SIGKILL')
    await start()
    assert.equal(await rows(), before)
  })

  it('mends what somebody deletes from the Northbound', async () => {
    const [first = ''] = (
      await cloud.nb('--bare', '--columns=name', 'find', 'Logical_Switch_Port', 'type=localport')
    ).split('\n')
    await cloud.nb('lsp-del', first)
    const again = async () =>
      (await cloud.nb('--bare', '--columns=name', 'list', 'Logical_Switch_Port')).includes(first)
    for (let i = 0; i < 200 && !(await again()); i += 1) await delay(25)
    assert.ok(await again())
  })

  it('leaves nothing behind, and what is not its own alone', async () => {
    await cloud.nb('ls-add', 'somebody-elses')
    assert.equal(await up.end('SIGINT'), 0)
    assert.equal(await cloud.nb('--bare', '--columns=name', 'list', 'Logical_Switch'), 'somebody-elses')
    for (const table of ['DHCP_Options', 'Logical_Router', 'Logical_Switch_Port'])
      assert.equal(await cloud.nb('list', table), '')
    assert.doesNotMatch(one().machine.run('ip', 'netns'), /ovnmeta-/)
  })

  it('starts beside a network of somebody else’s that has a name of ours, and serves all others meanwhile', async () => {
    const front = records<{ readonly id: string; readonly name: string }>('networks').find(
      (each) => each.name === 'front',
    )
    const name = `neutron-${front?.id}`
    const ports = () => cloud.nb('--bare', '--columns=ports', 'find', 'Logical_Switch', `name=${name}`)
    const status = () => one().output(...firstboot('datapath', 'status', `--state-dir=${state}`))
    await cloud.nb('ls-add', name)
    await start()
    const trouble = `Logical_Switch ${name}: writing it fails since .* has Logical_Switch ${name} of somebody else already`
    assert.match(await status(), new RegExp(trouble))
    await raise('db')
    assert.equal((await asked(() => metadata('db'))).name, 'db')
    assert.equal(await ports(), '')
    await cloud.nb('ls-del', name)
    await eventually('ours is written', async () => (await ports()) !== '')
    await eventually('nothing is in trouble', async () => /nothing is in trouble/.test(await status()))
  })

  it('serves guests that OVN knows when it starts while the Northbound is away, and writes it when it is back', async () => {
    await cloud.sync()
    await up.end('SIGKILL')
    await cloud.northbound.kill()
    begin()
    await raise('web')
    assert.equal((await asked(() => metadata('web'))).name, 'web')
    assert.doesNotMatch(up.said(), /firstboot is up/)
    await cloud.northbound.start()
    await up.saying('firstboot is up')
  })
})

async function asked(read: () => Promise<string>): Promise<{ readonly uuid: string; readonly name: string }> {
  const end = performance.now() + 30_000
  for (;;) {
    const text = await read()
    if (text.startsWith('{')) return JSON.parse(text)
    if (performance.now() > end) throw new Error(`no document came: ${text}`)
    await delay(50)
  }
}
