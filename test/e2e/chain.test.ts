import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Daemon, firstboot, startDaemon } from '../support/daemon.ts'
import { eventually } from '../support/eventually.ts'
import { openTestMachine, type TestMachine } from '../support/test-machine.ts'

//   namespace blue                    the test machine                     namespace qdhcp-11111111-...
//   eth0 10.0.0.11 ---- tap33333333-33 ] brq11111111-11 [ ---- ns-...: 169.254.169.254:80 -> up, or agent and API
//
//   namespace green                                                        namespace qdhcp-22222222-...
//   eth0 10.0.0.11 ---- tap44444444-44 ] brq22222222-22 [ ---- ns-...: 169.254.169.254:80
//
// The guests have equal addresses on purpose.

const INVENTORY = fileURLToPath(new URL('chain.yaml', import.meta.url))
const BLUE = { netns: 'blue', tap: 'tap33333333-33', bridge: 'brq11111111-11', mac: 'fa:16:3e:00:00:01' }
const GREEN = { netns: 'green', tap: 'tap44444444-44', bridge: 'brq22222222-22', mac: 'fa:16:3e:00:00:02' }
const IDS = { blue: '55555555-5555-4555-8555-555555555555', green: '66666666-6666-4666-8666-666666666666' }

/** Every kind of answer: lists, leaves, documents, binary, nothing there, refused. */
const PATHS = [
  '/',
  '/openstack',
  '/openstack/latest',
  '/openstack/2012-08-10/meta_data.json',
  '/openstack/2018-08-27/network_data.json',
  '/openstack/latest/user_data',
  '/openstack/latest/vendor_data2.json',
  '/openstack/latest/password',
  '/openstack/latest/nothing',
  '/latest/meta-data/',
  '/latest/meta-data/local-ipv4',
  '/latest/meta-data/public-keys/0/openssh-key',
  '/2009-04-04/user-data',
  '//latest//meta-data/../meta-data/instance-id?x=1',
  '/%6fpenstack/latest',
  '/latest/api/token',
  '/%ff',
]

interface Answer {
  readonly status: number
  readonly headers: string
  readonly body: string
}

describe('a guest’s request', () => {
  const directory = mkdtempSync(join(tmpdir(), 'firstboot-chain-'))
  let machine: TestMachine

  /** Asks as a guest. Headers without the date, body as one character a byte. */
  const bulky = join(directory, 'bulky')
  writeFileSync(bulky, Buffer.alloc(2 * 1024 * 1024))
  const ask = (guest: typeof BLUE, path: string, ...options: string[]): Answer => {
    const [head, body] = [join(directory, 'head'), join(directory, 'body')]
    writeFileSync(body, '')
    const url = `http://169.254.169.254${path}`
    const curl = ['curl', '--silent', '--show-error', '--path-as-is', '--max-time', '20', '-D', head, '-o', body]
    const status = machine.run('ip', 'netns', 'exec', guest.netns, ...curl, '-w', '%{http_code}', ...options, url)
    const headers = readFileSync(head, 'latin1').replace(/^Date: .*\r\n/m, '')
    return { status: Number(status), headers, body: readFileSync(body, 'latin1') }
  }
  const uuidOf = (guest: typeof BLUE, ...options: string[]) =>
    JSON.parse(ask(guest, '/openstack/latest/meta_data.json', ...options).body).uuid

  /** Everything a guest can tell apart, the random seed aside. */
  const walk = (guest: typeof BLUE) =>
    PATHS.flatMap((path) => [
      { path, ...ask(guest, path) },
      // curl prints the head in the body's place.
      { path, method: 'HEAD', ...ask(guest, path, '--head'), body: '' },
      { path, accept: 'json', ...ask(guest, path, '--header', 'Accept: application/json') },
    ])

  before(async () => {
    machine = await openTestMachine()
  })
  after(async () => {
    await machine?.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  let throughOne: ReturnType<typeof walk>
  describe('through firstboot up', () => {
    const state = join(directory, 'up')
    let up: Daemon
    before(async () => {
      up = startDaemon(machine, 'up', '-f', INVENTORY, '--state-dir', state, '--log-level', 'debug')
      await up.saying('firstboot is up')
      for (const guest of [BLUE, GREEN]) plug(machine, guest)
    })

    it('is answered as the guest’s own, whatever addresses others have', () => {
      assert.equal(uuidOf(BLUE), IDS.blue)
      assert.equal(uuidOf(GREEN), IDS.green)
    })

    const FORGED = [
      'X-Instance-ID',
      'X-Tenant-ID',
      'X-Neutron-Network-ID',
      'X-Neutron-Router-ID',
      'X-Forwarded-For',
      'X_Instance_ID',
    ]
    for (const name of FORGED)
      it(`is answered the same with a forged ${name}`, () => {
        const forged = ['22222222-2222-4222-8222-222222222222', IDS.green, '10.0.0.11', '']
        for (const value of forged) assert.equal(uuidOf(BLUE, '--header', `${name}: ${value}`), IDS.blue)
      })

    it('from an address that the guest may use and no port has is 404', () => {
      const eth0 = (...words: string[]) => machine.run('ip', '-n', 'blue', 'address', ...words, 'dev', 'eth0')
      eth0('add', '10.0.0.99/24')
      assert.equal(ask(BLUE, '/openstack', '--interface', '10.0.0.99').status, 404)
      eth0('delete', '10.0.0.99/24')
    })

    it('sees a change of the inventory', async () => {
      const changed = join(directory, 'changed.yaml')
      writeFileSync(changed, readFileSync(INVENTORY, 'utf8').replace('colour: bleu', 'colour: azur'))
      machine.run(...firstboot('apply', '-f', changed, '--state-dir', state))
      const colour = () => JSON.parse(ask(BLUE, '/openstack/latest/meta_data.json').body).meta.colour
      await eventually('the guest reads the new colour', () => colour() === 'azur', 2_000)
      machine.run(...firstboot('apply', '-f', INVENTORY, '--state-dir', state))
      await eventually('and the old one again', () => colour() === 'bleu', 2_000)
    })

    it('may post a password once', () => {
      const post = () => ask(GREEN, '/openstack/latest/password', '--data-binary', 'c2VjcmV0').status
      assert.deepEqual([post(), post()], [200, 409])
      assert.equal(ask(GREEN, '/openstack/latest/password').body, 'c2VjcmV0')
    })

    it('is not given an id by the guest', () => {
      ask(BLUE, '/openstack/nothing', '--header', 'X-Request-ID: chosen-by-guest')
      assert.doesNotMatch(up.said(), /chosen-by-guest/)
    })

    it('leaves no word of keys, user data and passwords in the log', () => {
      assert.doesNotMatch(up.said(), /AAAAC3Nza|c2VjcmV0|H4sIAAAA/)
    })

    it('can be walked', () => {
      throughOne = walk(BLUE)
      assert.ok(throughOne.some(({ status }) => status === 200))
    })

    after(async () => {
      // A bridge that somebody else's guest is plugged into would stay.
      for (const { netns, tap } of [BLUE, GREEN]) {
        machine.run('ip', 'link', 'delete', tap)
        machine.run('ip', 'netns', 'delete', netns)
      }
      assert.equal(await up?.end(), 0)
      assert.doesNotMatch(machine.run('ip', 'netns'), /qdhcp-/)
      assert.doesNotMatch(machine.run('ip', '-brief', 'link'), /brq|tap/)
    })
  })

  describe('through dhcp-agent, metadata-agent and metadata-api', () => {
    const state = join(directory, 'three')
    const options = ['--state-dir', state]
    const daemons = new Map<string, Daemon>()
    const start = async (name: string, ready: string) => {
      const daemon = startDaemon(machine, name, ...options)
      daemons.set(name, daemon)
      await daemon.saying(ready)
    }
    before(async () => {
      machine.run(...firstboot('apply', '-f', INVENTORY, ...options))
      await start('metadata-api', 'listens on 127.0.0.1 port 8775')
      await start('metadata-agent', 'listens on')
      await start('dhcp-agent', 'serves the networks')
      for (const guest of [BLUE, GREEN]) plug(machine, guest)
    })

    it('is answered as the guest’s own', () => {
      assert.equal(uuidOf(BLUE), IDS.blue)
      assert.equal(uuidOf(GREEN, '--header', 'X-Forwarded-For: 10.0.0.12'), IDS.green)
    })

    it('gets the same bytes as through one process', () => {
      const isSecret = (text: string) => text.replace(/r-[0-9a-z]{8}/, 'r-?').replace(/"project_id": "[^"]+"/, '')
      const comparable = (walked: typeof throughOne) => walked.map((each) => ({ ...each, body: isSecret(each.body) }))
      assert.deepEqual(comparable(walk(BLUE)), comparable(throughOne))
    })

    it('is refused alike when it makes no sense', () => {
      const post = ['--data-binary', 'x', '--header', 'Transfer-Encoding: chunked']
      assert.equal(ask(BLUE, '/openstack/latest/password', ...post).status, 400)
      assert.equal(ask(BLUE, '/openstack/latest/password', '--data-binary', 'x'.repeat(1021)).status, 400)
      assert.equal(ask(BLUE, '/openstack/latest/password', '--data-binary', `@${bulky}`).status, 400)
      assert.equal(ask(BLUE, '/', '--request-target', '*').status, 400)
    })

    it('is not for other users of the host', () => {
      const asNobody = ['--reuid=65534', '--regid=65534', '--clear-groups', '--']
      const curl = ['curl', '-sS', '--unix-socket', join(state, 'run/metadata_proxy'), 'http://x/openstack']
      assert.throws(() => machine.run('setpriv', ...asNobody, ...curl), /Permission denied|Couldn't connect/)
    })

    it('is 503 with Retry-After while the metadata API is down, and answered again afterwards', async () => {
      await daemons.get('metadata-api')?.end()
      const { status, headers } = ask(BLUE, '/openstack')
      assert.equal(status, 503)
      assert.match(headers, /^Retry-After: \d+\r$/m)
      await start('metadata-api', 'listens on')
      assert.equal(ask(BLUE, '/openstack').status, 200)
    })

    it('is 503 while the agent is down', async () => {
      await daemons.get('metadata-agent')?.end('SIGKILL')
      assert.equal(ask(BLUE, '/openstack').status, 503)
      await start('metadata-agent', 'listens on')
      assert.equal(ask(BLUE, '/openstack').status, 200)
    })

    it('a second agent refuses to take the socket of the first', async () => {
      const second = startDaemon(machine, 'metadata-agent', ...options)
      assert.equal(await second.end('SIGCONT'), 1)
      assert.match(second.said(), /another metadata agent listens there/)
    })

    it('dhcp-agent ended by SIGTERM leaves namespaces and DHCP; by SIGINT nothing', async () => {
      assert.equal(await daemons.get('dhcp-agent')?.end('SIGTERM'), 0)
      assert.match(machine.run('ip', 'netns'), /qdhcp-11111111/)
      assert.match(machine.run('ps', 'ax'), /dnsmasq.*11111111-1111/)
      await start('dhcp-agent', 'serves the networks')
      assert.equal(uuidOf(BLUE), IDS.blue)
      assert.equal(await daemons.get('dhcp-agent')?.end('SIGINT'), 0)
      assert.doesNotMatch(machine.run('ip', 'netns'), /qdhcp-/)
      assert.doesNotMatch(machine.run('ps', 'ax'), /dnsmasq/)
    })
  })
})

/** A guest with a static address: a namespace whose `eth0` is plugged into its port's bridge. */
function plug(machine: TestMachine, { netns, tap, bridge, mac }: typeof BLUE): void {
  const inside = (...words: string[]) => machine.run('ip', '-n', netns, ...words)
  machine.run('ip', 'netns', 'add', netns)
  machine.run('ip', 'link', 'add', tap, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', netns)
  machine.run('ip', 'link', 'set', tap, 'master', bridge, 'up')
  inside('link', 'set', 'eth0', 'address', mac, 'up')
  inside('address', 'add', '10.0.0.11/24', 'dev', 'eth0')
  inside('route', 'add', '169.254.169.254/32', 'dev', 'eth0')
}
