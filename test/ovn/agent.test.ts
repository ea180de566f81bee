import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { inNamespace } from '../../src/host/netns.ts'
import { computesChecksums } from '../../src/host/offload.ts'
import type { OvsdbServer } from '../ovsdb/ovsdb-server.ts'
import { firstboot } from '../support/daemon.ts'
import { noSandbox } from '../support/datapath-machine.ts'
import type { Chassis } from './chassis.ts'
import type { Cloud } from './cloud.ts'
import { type Guest, guest, openServedCloud, own, type ServedCloud, until } from './served-cloud.ts'

/*
 *   chassis-1:  red-1 (network red)   blue-1 (network blue, the same address as red-1)     agent, agent's socket
 *   chassis-2:  red-2 (network red)                                                        agent
 *                           nova-api-metadata is played on 127.0.0.1:8775 of both
 */

const RED = 'da5bb487-5193-4a65-a3df-4a0055a8c0d7'
const BLUE = 'b1ce0000-5193-4a65-a3df-4a0055a8c0d8'

/** So long a request waits for an agent that is being restarted. */
const HELD_MILLISECONDS = 4_000

describe('the OVN metadata agent on real OVN', { skip: noSandbox }, () => {
  let served: ServedCloud<OvsdbServer>
  let cloud: Cloud
  const [red1, red2, blue1] = [
    guest('red-1', RED, '10.88.0.11'),
    guest('red-2', RED, '10.88.0.12'),
    guest('blue-1', BLUE, '10.88.0.11'),
  ]

  const one = () => cloud.chassis[0]
  const two = () => cloud.chassis[1]
  const stateOf = (chassis: Chassis) => served.stateOf(chassis)
  const agentOf = (chassis: Chassis) => served.agentOf(chassis)
  const namespaces = (chassis: Chassis) => served.namespaces(chassis)
  const addressesIn = (chassis: Chassis, network: string) => served.addressesIn(chassis, network)
  const ask = (chassis: Chassis, it: Guest, seconds?: number) => served.ask(chassis, it, seconds)
  const getsAnswer = (chassis: Chassis, it: Guest, want?: string) => served.getsAnswer(chassis, it, want)

  before(async () => {
    served = await openServedCloud()
    cloud = served.cloud
    await cloud.addNetwork({ id: RED, cidrs: '10.88.0.2/24', mac: 'fa:16:3e:00:00:02' })
    await cloud.addNetwork({ id: BLUE, cidrs: '10.88.0.2/24', mac: 'fa:16:3e:00:00:03', mtu: 1442 })
    await Promise.all(cloud.chassis.map((chassis) => served.startAgent(chassis)))
  })
  after(() => served?.close())

  it('answers guests of both chassis, each with its own', async () => {
    await served.addGuest(one(), red1)
    await served.addGuest(two(), red2)
    await getsAnswer(one(), red1)
    await getsAnswer(two(), red2)
  })

  it('makes the namespace that neutron’s agent makes', async () => {
    const text = addressesIn(one(), RED)
    assert.match(text, /tapda5bb487-51 +inet 10\.88\.0\.2\/24 brd 10\.88\.0\.255/)
    assert.match(text, /inet 169\.254\.169\.254\/32/)
    assert.equal(one().machine.run('ip', '-n', `ovnmeta-${RED}`, 'route', 'show', 'default'), '')
    assert.match(await one().vsctl('get', 'Interface', 'tapda5bb487-50', 'external_ids'), /iface-id=.*meta-da5bb487/)
    const home = `/proc/${one().machine.pid}`
    const computes = (path: string, device: string) => inNamespace<boolean>(path, () => computesChecksums(device))
    assert.ok(computes(`${home}/ns/net`, 'tapda5bb487-50'))
    assert.ok(computes(`${home}/root/run/netns/ovnmeta-${RED}`, 'tapda5bb487-51'))
  })

  it('says what it serves, and why', async () => {
    const [program, ...args] = firstboot('datapath', 'status', `--state-dir=${stateOf(one())}`)
    const said = await one().output(program, ...args)
    assert.match(said, /ovnmeta-da5bb487\S+ +net-da5b +169\.254\.169\.254:80 .* guests here: 10\.88\.0\.11/)
    assert.match(said, /nothing is in trouble/)
  })

  it('tells guests of two networks apart that have the same address', async () => {
    await served.addGuest(one(), blue1)
    await getsAnswer(one(), blue1)
    await getsAnswer(one(), red1)
  })

  it('registers with its chassis, and tells Neutron that it lives', async () => {
    const registered = () => cloud.sb('get', 'Chassis_Private', 'chassis-1', 'external_ids')
    // uuid5 of the chassis as neutron's agent computes it.
    assert.match(await registered(), /neutron:ovn-metadata-id"?="?b37bb3d3-bea1-56d2-85be-062aa3b9bf45/)
    assert.match(await registered(), /neutron:ovn-bridge"?=br-int/)
    await cloud.sync()
    const nbCfg = await cloud.sb('get', 'SB_Global', '.', 'nb_cfg')
    const told = new RegExp(`neutron:ovn-metadata-sb-cfg"?="${nbCfg}"`)
    assert.match(await until(registered, (text) => told.test(text)), told)
  })

  it('answers soon after a port is bound, on a network that is new here', async (test) => {
    const taken: number[] = []
    for (let i = 0; i < 5; i += 1) {
      const network = `${i}0fa0000-5193-4a65-a3df-4a0055a8c0d7`
      const fresh = guest(`fresh-${i}`, network, '10.90.0.11')
      await cloud.addNetwork({ id: network, cidrs: '10.90.0.2/24', mac: 'fa:16:3e:00:00:04' })
      await served.addPort(fresh)
      const { name, mac, address } = fresh
      await one().plug({ name, logicalPort: name, mac, cidrs: [`${address}/24`] })
      const bound = performance.now()
      await served.getsAnswer(one(), fresh, own(fresh), 0.2)
      taken.push(Math.round((served.nova.firstAnswers.get(`instance-${fresh.name}`) ?? 0) - bound))
      await one().unplug(name)
      await cloud.nb('ls-del', `neutron-${network}`)
    }
    test.diagnostic(`from the plugged port to the first answer, ms: ${taken.join(' ')}`)
    assert.equal(taken.length, 5)
  })

  it('takes everything away when the last guest of a network is gone', async () => {
    const left = () => namespaces(one()) + one().machine.run('ip', '-br', 'link')
    const text = await until(
      async () => left(),
      (said) => !/0fa0000/.test(said),
    )
    assert.doesNotMatch(text, /0fa0000/)
    assert.doesNotMatch(await one().vsctl('list-ports', 'br-int'), /0fa0000/)
  })

  it('serves a network from the moment that a guest is scheduled here', async () => {
    const network = 'ea410000-5193-4a65-a3df-4a0055a8c0d7'
    const early = guest('early', network, '10.91.0.11')
    await cloud.addNetwork({ id: network, cidrs: '10.91.0.2/24', mac: 'fa:16:3e:00:00:05' })
    await served.addPort(early, 'chassis-2')
    const listening = async () =>
      namespaces(two()).includes(network)
        ? two().machine.run('ip', 'netns', 'exec', `ovnmeta-${network}`, 'ss', '-ltn')
        : ''
    assert.match(await until(listening, (text) => text.includes('169.254.169.254:80')), /169\.254\.169\.254:80/)
    await cloud.nb('lsp-del', 'early')
  })

  it('follows a guest that moves directly from one chassis to the other, and back', async () => {
    await cloud.nb('lsp-set-options', 'blue-1', 'requested-chassis=chassis-2')
    await two().plug({ name: blue1.name, logicalPort: blue1.name, mac: blue1.mac, cidrs: [`${blue1.address}/24`] })
    await getsAnswer(two(), blue1)
    const text = await until(
      async () => namespaces(one()),
      (said) => !said.includes(BLUE),
    )
    assert.ok(!text.includes(BLUE), text)
    await cloud.nb('lsp-set-options', 'blue-1', 'requested-chassis=chassis-1')
    await getsAnswer(one(), blue1)
    await two().unplug(blue1.name)
  })

  it('follows changes of a port’s instance, of the network’s MTU and of the metadata port’s address', async () => {
    await cloud.nb('set', 'Logical_Switch_Port', 'red-1', 'external_ids:"neutron:device_id"="instance-other"')
    await getsAnswer(one(), red1, `instance-other project-red-1 ${red1.address}`)
    await cloud.nb('set', 'Logical_Switch_Port', 'red-1', 'external_ids:"neutron:device_id"="instance-red-1"')
    await cloud.nb(
      'set', 'Logical_Switch_Port', `meta-${RED}`,
      'external_ids:"neutron:mtu"="1400"', 'external_ids:"neutron:cidrs"="10.88.0.3/24"',
    ) // biome-ignore format: one command
    await cloud.nb('lsp-set-addresses', `meta-${RED}`, 'fa:16:3e:00:00:0a 10.88.0.3')
    const seen = async () => addressesIn(one(), RED) + one().machine.run('ip', '-n', `ovnmeta-${RED}`, 'link')
    const text = await until(seen, (said) => /fa:16:3e:00:00:0a/.test(said) && /10\.88\.0\.3/.test(said))
    assert.match(text, /inet 10\.88\.0\.3\/24/)
    assert.match(text, /mtu 1400/)
    assert.doesNotMatch(text, /10\.88\.0\.2\//)
    await getsAnswer(one(), red1)
  })

  it('is not misled by another localport of the network', async () => {
    await cloud.nb(
      'lsp-add', `neutron-${RED}`, 'a-monitor', '--', 'lsp-set-type', 'a-monitor', 'localport', '--',
      'lsp-set-addresses', 'a-monitor', 'fa:16:3e:00:00:ff 10.88.0.9', '--', 'set', 'Logical_Switch_Port', 'a-monitor',
      'external_ids:"neutron:device_owner"="ovn-lb-hm:distributed"', 'external_ids:"neutron:cidrs"="10.88.0.9/24"',
    ) // biome-ignore format: one command
    await cloud.sync()
    await agentOf(one()).end('SIGTERM')
    await served.startAgent(one())
    assert.doesNotMatch(addressesIn(one(), RED), /10\.88\.0\.9/)
    await getsAnswer(one(), red1)
  })

  it('mends a namespace that was deleted by hand', async () => {
    one().machine.run('ip', 'netns', 'delete', `ovnmeta-${RED}`)
    await until(
      async () => namespaces(one()),
      (text) => text.includes(RED),
    )
    await getsAnswer(one(), red1)
  })

  it('mends a port that somebody took out of Open vSwitch', async () => {
    await one().vsctl('del-port', 'br-int', 'tapda5bb487-50')
    await getsAnswer(one(), red1)
  })

  it('serves others beside a namespace that it cannot make', async () => {
    const [taken, free] = ['fade0000-5193-4a65-a3df-4a0055a8c0d7', 'feed0000-5193-4a65-a3df-4a0055a8c0d7']
    one().machine.run('ip', 'netns', 'add', `ovnmeta-${taken}`)
    one().machine.run('ip', '-n', `ovnmeta-${taken}`, 'link', 'add', 'mine', 'type', 'veth', 'peer', 'name', 'yours')
    for (const id of [taken, free]) await cloud.addNetwork({ id, cidrs: '10.92.0.2/24', mac: 'fa:16:3e:00:00:06' })
    const [unlucky, lucky] = [guest('unlucky', taken, '10.92.0.11'), guest('lucky', free, '10.92.0.11')]
    await Promise.all([served.addGuest(one(), unlucky), served.addGuest(one(), lucky)])
    await getsAnswer(one(), lucky)
    assert.match(agentOf(one()).said(), /ovnmeta-fade0000[^\n]*exists and was not made by firstboot/)
    one().machine.run('ip', 'netns', 'delete', `ovnmeta-${taken}`)
    await getsAnswer(one(), unlucky)
    for (const name of ['unlucky', 'lucky']) {
      await one().unplug(name)
      await cloud.nb('lsp-del', name)
    }
  })

  it('is not asked for another’s metadata by a guest that forges headers', async () => {
    const forged = ['X-OVN-Network-ID', 'X-Neutron-Network-ID'].flatMap((name) => ['-H', `${name}: ${BLUE}`])
    const said = await one().inGuest(
      'red-1',
      'curl',
      '-sS',
      ...forged,
      '-H',
      'X-Forwarded-For: 10.88.0.12',
      'http://169.254.169.254/openstack',
    )
    assert.equal(said, own(red1))
  })

  it('answers neutron’s haproxy on its socket too', async () => {
    const asked = (...fields: readonly string[]) => {
      const curl = ['--unix-socket', `${stateOf(one())}/run/metadata_proxy`, '-o', '/dev/null', '-w', '%{http_code}']
      return one().output('curl', '-sS', ...curl, ...fields.flatMap((field) => ['-H', field]), 'http://x/openstack')
    }
    assert.equal(await asked(`X-OVN-Network-ID: ${RED}`, 'X-Forwarded-For: 10.88.0.12'), '200')
    assert.equal(await asked(`X-OVN-Network-ID: ${RED}`, 'X-Forwarded-For: 10.88.0.99'), '404')
    // haproxy passes on what a guest forges, and adds its own.
    const forged = [`X-Neutron-Network-ID: ${BLUE}`, `X-OVN-Network-ID: ${RED}`]
    assert.equal(await asked(...forged, 'X-Forwarded-For: 10.88.0.12'), '400')
    assert.equal(await asked(...forged.slice(1), ...forged.slice(1), 'X-Forwarded-For: 10.88.0.12'), '400')
  })

  it('answers a guest of IPv6, known by the MAC in its link-local address or by who was heard with it', async () => {
    await cloud.addPort({
      network: BLUE, id: 'six', mac: 'fa:16:3e:00:06:06', cidrs: 'fd00::6/64', instance: 'instance-six', project: 'project-six',
    }) // biome-ignore format: one port
    await one().plug({ name: 'six', logicalPort: 'six', mac: 'fa:16:3e:00:06:06', cidrs: ['fd00::6/64'] })
    const url = 'http://[fe80::a9fe:a9fe%25eth0]/openstack'
    const asked = () => one().inGuest('six', 'curl', '-sS', '--max-time', '1', url)
    const want = 'instance-six project-six fe80::f816:3eff:fe00:606'
    assert.equal(await until(asked, (text) => text === want), want)
    const eth0 = (...words: string[]) => one().inGuest('six', 'ip', '-6', 'address', ...words)
    await eth0('flush', 'dev', 'eth0', 'scope', 'link')
    await eth0('add', 'fe80::5ab1:e/64', 'dev', 'eth0', 'nodad')
    const chosen = 'instance-six project-six fe80::5ab1:e'
    assert.equal(await until(asked, (text) => text === chosen), chosen)
    await one().unplug('six')
  })

  it('answers on while the Southbound database restarts', async () => {
    await cloud.southbound.kill()
    await getsAnswer(one(), red1)
    await cloud.southbound.start()
    await until(
      () => cloud.sb('get', 'SB_Global', '.', 'nb_cfg'),
      (text) => text !== '',
    )
    await getsAnswer(one(), red1)
    await getsAnswer(two(), red2)
  })

  it('answers again when ovs-vswitchd has restarted', async () => {
    await one().kill('ovs-vswitchd')
    await one().start('ovs-vswitchd')
    await getsAnswer(one(), red1)
  })

  it('refuses nobody when it is killed, and goes on when it is started again', async () => {
    const asking = new AbortController()
    const said: string[] = []
    const crawl = (async () => {
      while (!asking.signal.aborted) {
        said.push(
          await one().inGuest(
            'red-1',
            'curl',
            '-sS',
            '--max-time',
            '10',
            '-w',
            ' %{http_code}',
            'http://169.254.169.254/openstack',
          ),
        )
        await delay(20)
      }
    })()
    const killed = performance.now()
    await agentOf(one()).end('SIGKILL')
    await served.startAgent(one())
    const awayMilliseconds = performance.now() - killed
    await getsAnswer(one(), red1)
    asking.abort()
    await crawl
    const others = said.map((text) => text.slice(-4)).filter((status) => status !== ' 200')
    // A slow machine may take longer to start it than requests are held.
    const isLate = awayMilliseconds > HELD_MILLISECONDS
    assert.deepEqual(
      others.filter((status) => !(isLate && status === ' 503')),
      [],
    )
    assert.deepEqual(new Set(said.filter((text) => text.endsWith(' 200'))), new Set([`${own(red1)} 200`]))
  })

  it('holds guests, then says 503, while its chassis is not in the Southbound', async () => {
    await one().kill('ovn-controller', 'SIGTERM')
    await cloud.sb('chassis-del', 'chassis-1')
    const began = performance.now()
    // What the guest's packets need stays in the switch, where ovn-controller left it.
    const text = await until(
      () => ask(one(), red1, 12),
      (said) => / 503$/.test(said) || / 404$/.test(said),
    )
    assert.match(text, / 503$/)
    assert.ok(performance.now() - began > 6_000)
    assert.ok(namespaces(one()).includes(RED))
    await one().start('ovn-controller')
    await getsAnswer(one(), red1)
  })
})
