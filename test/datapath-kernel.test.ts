import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { markOf } from '../src/host/mark.ts'
import { isAlive, processId } from '../src/host/process.ts'
import { runProgram } from '../src/host/programs.ts'
import { type Cidr, eui64Address, type IpAddress, type MacAddress } from '../src/inventory/records/address.ts'
import type { NetworkId } from '../src/inventory/records/ids.ts'
import type { Port } from '../src/inventory/records/port.ts'
import {
  deviceNames,
  NamespaceGuest,
  noSandbox,
  RecordsInHand,
  type RunningDatapath,
  startDatapath,
  temporaryDirectory,
} from './support/datapath-machine.ts'
import { eventually } from './support/eventually.ts'
import { kernelTurn } from './support/kernel-turn.ts'
import { aDhcpPort, aNetwork, aPort, aSubnet, byId } from './support/network-records.ts'

await kernelTurn()

// Two networks with the same range, on the kernel of a sandbox. "Kernel" is the sandbox's own namespace.
//
//   red-guest            qdhcp-aaaaaaaa-1              blue-guest           qdhcp-bbbbbbbb-1
//   eth0 10.0.0.7        ns-aaaaaaaa-d 10.0.0.2        eth0 10.0.0.7        ns-bbbbbbbb-d 10.0.0.2
//     |                    | 169.254.169.254             |                    | 169.254.169.254
//     |                    | fe80::a9fe:a9fe             |                    |
//   --|--------------------|---------------------------  |  ------------------|------------------  Kernel
//   tapaaaaaaaa-g ---- tapaaaaaaaa-d                   tapbbbbbbbb-g ---- tapbbbbbbbb-d
//            brqaaaaaaaa-1                                     brqbbbbbbbb-1

interface Side {
  readonly network: ReturnType<typeof aNetwork>
  readonly subnets: readonly ReturnType<typeof aSubnet>[]
  readonly dhcp: Port
  readonly guest: Port
}

function side(letter: string, hasIpv6: boolean): Side {
  const stem = letter.repeat(8)
  const networkId = `${stem}-1` as NetworkId
  const v4 = aSubnet(`${stem}-4`, '10.0.0.0/24', { networkId, gatewayIp: '10.0.0.1' as IpAddress })
  const v6 = aSubnet(`${stem}-6`, 'fd00::/64', { networkId, ipv6AddressMode: 'dhcpv6-stateful', ipv6RaMode: null })
  return {
    network: aNetwork({ id: networkId }),
    subnets: hasIpv6 ? [v4, v6] : [v4],
    dhcp: {
      ...aDhcpPort(`${stem}-d`, `${v4.id}=10.0.0.2`, ...(hasIpv6 ? [`${v6.id}=fd00::2`] : [])),
      networkId,
    },
    guest: { ...aPort(`${stem}-g`, [`${v4.id}=10.0.0.7`]), networkId },
  }
}

const red = side('a', true)
const blue = side('b', false)
const RED = 'qdhcp-aaaaaaaa-1'
const DEVICE = 'ns-aaaaaaaa-d'

function recordsOf(sides: readonly Side[], more: readonly Port[] = []) {
  return {
    network: byId(sides.map(({ network }) => network)),
    subnet: byId(sides.flatMap(({ subnets }) => subnets)),
    port: byId([...sides.flatMap(({ dhcp, guest }) => [dhcp, guest]), ...more]),
  }
}

describe('the DHCP path on the kernel', { skip: noSandbox }, () => {
  const state = temporaryDirectory()
  const inventory = new RecordsInHand()
  const redGuest = new NamespaceGuest('red-guest', red.guest, state.path)
  const blueGuest = new NamespaceGuest('blue-guest', blue.guest, state.path)
  let datapath: RunningDatapath

  before(async () => {
    const mark = markOf(state.path)
    await runProgram('ip', ['netns', 'add', 'qdhcp-orphan'])
    await runProgram('ip', ['-n', 'qdhcp-orphan', 'link', 'set', 'lo', 'alias', mark])
    // As somebody makes one who has come no further.
    await runProgram('ip', ['netns', 'add', 'qdhcp-empty'])
    await runProgram('ip', ['netns', 'add', 'somebody-elses'])
    await runProgram('ip', ['link', 'add', 'brqorphan', 'type', 'bridge'])
    await runProgram('ip', ['link', 'set', 'brqorphan', 'alias', mark])
    // As Neutron's agents would have made them.
    await runProgram('ip', ['netns', 'add', 'qdhcp-foreign'])
    await runProgram('ip', ['-n', 'qdhcp-foreign', 'link', 'add', 'ns-foreign', 'type', 'bridge'])
    await runProgram('ip', ['link', 'add', 'brqforeign', 'type', 'bridge'])
    inventory.change(recordsOf([red, blue]))
    datapath = startDatapath(inventory, state.path)
    const report = await datapath.reconciler.start()
    assert.deepEqual(
      report.failed.map(({ cause }) => cause.message),
      [],
    )
    await Promise.all([redGuest.plug(), blueGuest.plug()])
  })

  after(async () => {
    await datapath.leave()
    await Promise.all([redGuest.remove(), blueGuest.remove()])
    state.remove()
  })

  const pidOf = () => Number(readFileSync(join(state.path, 'dhcp/aaaaaaaa-1/pid'), 'utf8'))

  it('finds nothing to do the second time', async () => {
    assert.deepEqual(await datapath.reconciler.look(), { done: [], failed: [] })
  })

  it('sweeps what an earlier run left, and nothing else', async () => {
    assert.ok(!existsSync('/run/netns/qdhcp-orphan'))
    assert.ok(!(await deviceNames()).includes('brqorphan'))
    assert.ok(existsSync('/run/netns/somebody-elses'))
    assert.ok(existsSync('/run/netns/qdhcp-empty'))
  })

  it('leaves what another agent made under such a name', async () => {
    assert.ok(existsSync('/run/netns/qdhcp-foreign'))
    assert.ok((await deviceNames()).includes('brqforeign'))
  })

  it('says so when such a namespace is in the way', async () => {
    const foreign = { ...side('d', false), network: aNetwork({ id: 'foreign' as NetworkId }) }
    const dhcp = { ...foreign.dhcp, networkId: 'foreign' as NetworkId }
    inventory.change(
      recordsOf([
        red,
        blue,
        { ...foreign, subnets: foreign.subnets.map((each) => ({ ...each, networkId: 'foreign' as NetworkId })), dhcp },
      ]),
    )
    const { failed } = await datapath.reconciler.look()
    assert.deepEqual(
      failed.map(({ where }) => where),
      ['qdhcp-foreign'],
    )
    assert.match(failed[0]?.cause.message ?? '', /qdhcp-foreign exists and was not made by firstboot/)
    inventory.change(recordsOf([red, blue]))
    assert.deepEqual((await datapath.reconciler.look()).failed, [])
  })

  it('leases a real client its address, MTU and the route to metadata', async () => {
    for (const guest of [redGuest, blueGuest]) {
      assert.deepEqual(await guest.requestLease(), {
        ip: '10.0.0.7/24',
        router: '10.0.0.1',
        staticroutes: '169.254.169.254/32 10.0.0.2 0.0.0.0/0 10.0.0.1',
        mtu: '1450',
      })
    }
  })

  it('tells guests with equal addresses apart', async () => {
    const url = 'http://169.254.169.254/'
    assert.equal(await redGuest.get(url), 'aaaaaaaa-1 10.0.0.7')
    assert.equal(await blueGuest.get(url), 'bbbbbbbb-1 10.0.0.7')
  })

  it('answers on the link-local IPv6 address, and knows the guest by its own', async () => {
    const own = eui64Address('fe80::/64' as Cidr, red.guest.macAddress)
    await eventually('the guest has its link-local address', async () => {
      const answer = await redGuest.get('http://[fe80::a9fe:a9fe%25eth0]/').catch(() => '')
      return answer === `aaaaaaaa-1 ${own}`
    })
  })

  it('starts a killed dnsmasq again', async () => {
    const killed = pidOf()
    process.kill(killed, 'SIGKILL')
    await eventually('another dnsmasq runs', () => existsSync(pidFile()) && pidOf() !== killed && !!processId(pidOf()))
    await redGuest.requestLease()
  })

  it('starts a killed dnsmasq again that has lost its log', async () => {
    const killed = pidOf()
    rmSync(join(state.path, 'dhcp/aaaaaaaa-1/log'))
    process.kill(killed, 'SIGKILL')
    await eventually('another dnsmasq runs', async () => {
      await datapath.reconciler.look()
      return existsSync(pidFile()) && pidOf() !== killed && processId(pidOf()) !== undefined
    })
  })

  it('repairs addresses, devices and bridges changed by hand', async () => {
    await runProgram('ip', ['-n', RED, 'address', 'flush', 'dev', DEVICE])
    await runProgram('ip', ['link', 'set', 'tapaaaaaaaa-d', 'down', 'nomaster'])
    await runProgram('ip', ['link', 'set', 'brqaaaaaaaa-1', 'down'])
    const { failed } = await datapath.reconciler.look()
    assert.deepEqual(failed, [])
    await redGuest.requestLease()
    assert.match(await redGuest.get('http://169.254.169.254/'), /^aaaaaaaa-1 /)
    assert.deepEqual(await datapath.reconciler.look(), { done: [], failed: [] })
  })

  it('restores a namespace deleted by hand', async () => {
    await runProgram('ip', ['netns', 'delete', RED])
    await eventually('a guest gets a lease', () =>
      redGuest.requestLease().then(
        () => true,
        () => false,
      ),
    )
    assert.match(await redGuest.get('http://169.254.169.254/'), /^aaaaaaaa-1 /)
    await datapath.reconciler.look()
    assert.deepEqual(await datapath.reconciler.look(), { done: [], failed: [] })
  })

  it('adopts the running dnsmasq after a restart', async () => {
    const before = pidOf()
    await datapath.leave()
    assert.notEqual(processId(before), undefined)
    datapath = startDatapath(inventory, state.path)
    const { done, failed } = await datapath.reconciler.start()
    assert.deepEqual(failed, [])
    assert.deepEqual([...new Set(done.map(({ command }) => command.kind))], ['program-reload'])
    assert.equal(pidOf(), before)
    assert.match(await redGuest.get('http://169.254.169.254/'), /^aaaaaaaa-1 /)
    assert.deepEqual(await datapath.reconciler.look(), { done: [], failed: [] })
  })

  it('lets a new port have its lease without a restart of dnsmasq', async (t) => {
    const before = pidOf()
    const port = { ...aPort('aaaaaaaa-n', ['aaaaaaaa-4=10.0.0.8']), networkId: red.network.id }
    inventory.change(recordsOf([red, blue], [port]))
    await datapath.reconciler.look()
    const guest = new NamespaceGuest('new-guest', port, state.path)
    t.after(() => guest.remove())
    await guest.plug()
    assert.equal((await guest.requestLease()).ip, '10.0.0.8/24')
    assert.equal(pidOf(), before)
  })

  it('gives an address that was another port’s to the port that has it now', async () => {
    const renewed = { ...red.guest, macAddress: 'fa:16:3e:77:77:77' as MacAddress }
    inventory.change(recordsOf([{ ...red, guest: renewed }, blue]))
    await datapath.reconciler.look()
    await redGuest.remove()
    const guest = new NamespaceGuest('renewed-guest', renewed, state.path)
    await guest.plug()
    assert.equal((await guest.requestLease()).ip, '10.0.0.7/24')
    await guest.remove()
    inventory.change(recordsOf([red, blue]))
    await datapath.reconciler.look()
    await redGuest.plug()
    assert.equal((await redGuest.requestLease()).ip, '10.0.0.7/24')
  })

  it('says who is in the way of dnsmasq, serves the others, and goes on when the way is free', async (t) => {
    const green = side('c', false)
    await runProgram('ip', ['netns', 'add', 'qdhcp-cccccccc-1'])
    const program = `require('node:dgram').createSocket('udp4').bind(67, () => console.log('bound'))`
    const squatter = spawn('ip', ['netns', 'exec', 'qdhcp-cccccccc-1', process.execPath, '-e', program])
    t.after(() => squatter.kill('SIGKILL'))
    await once(squatter.stdout, 'data')
    inventory.change(recordsOf([red, blue, green]))
    const { failed } = await datapath.reconciler.look()
    const reason = /starting dnsmasq in qdhcp-cccccccc-1: .*exit code 2.*Address already in use/
    assert.equal(failed.length, 1)
    assert.match(failed[0]?.cause.message ?? '', reason)
    assert.match(
      (await datapath.reconciler.look()).failed[0]?.cause.message ?? '',
      /already in use; next attempt in 1 s/,
    )
    assert.match(await blueGuest.get('http://169.254.169.254/'), /^bbbbbbbb-1 /)
    squatter.kill('SIGKILL')
    await eventually('dnsmasq runs', async () => (await datapath.reconciler.look()).failed.length === 0)
  })

  it('serves others at once while a dnsmasq does not end, and forgets its leases', async () => {
    const green = side('c', false)
    const stuck = Number(readFileSync(join(state.path, 'dhcp/bbbbbbbb-1/pid'), 'utf8'))
    process.kill(stuck, 'SIGSTOP')
    const started = performance.now()
    inventory.change(recordsOf([red, green]))
    assert.deepEqual((await datapath.reconciler.look()).failed, [])
    assert.ok(performance.now() - started < 3_000, `took ${performance.now() - started} ms`)
    assert.ok(existsSync('/run/netns/qdhcp-cccccccc-1'))
    assert.ok(!existsSync(join(state.path, 'dhcp/bbbbbbbb-1')))
    // Its own network has to wait, and says for what.
    inventory.change(recordsOf([red, blue]))
    assert.match((await datapath.reconciler.look()).failed[0]?.cause.message ?? '', /qdhcp-bbbbbbbb-1: .*still runs/)
    await eventually('blue is served', async () => (await datapath.reconciler.look()).failed.length === 0)
    assert.equal(processId(stuck), undefined)
  })

  it('keeps apart from a firstboot with another state directory', async (t) => {
    const other = temporaryDirectory()
    t.after(() => other.remove())
    const records = new RecordsInHand()
    const theirs = { ...recordsOf([side('e', false), red]) }
    records.change(theirs)
    const neighbour = startDatapath(records, other.path)
    const { failed } = await neighbour.reconciler.start()
    assert.deepEqual(
      failed.map(({ cause }) => cause.message),
      [
        `creating namespace ${RED}: ${RED} exists and belongs to the firstboot that runs on ${state.path}; stop whoever owns it, or ip netns delete ${RED}`,
      ],
    )
    assert.deepEqual(await datapath.reconciler.look(), { done: [], failed: [] })
    assert.ok(existsSync('/run/netns/qdhcp-eeeeeeee-1'))
    await neighbour.reconciler.teardown()
    await neighbour.leave()
    assert.ok(!existsSync('/run/netns/qdhcp-eeeeeeee-1'))
    assert.deepEqual(await datapath.reconciler.look(), { done: [], failed: [] })
    assert.match(await redGuest.get('http://169.254.169.254/'), /^aaaaaaaa-1 /)
  })

  it('leaves the dnsmasq of a container that has the same paths, and ends one of its own that nobody needs', async (t) => {
    const start = async (...namespaces: readonly string[]) => {
      const like = ['sh', '-c', 'echo ready; read line', 'dnsmasq', `--pid-file=${state.path}/dhcp/x/pid`]
      const child = spawn('unshare', [...namespaces, ...like])
      t.after(() => child.kill('SIGKILL'))
      await once(child.stdout, 'data')
      return processId(child.pid ?? 0) ?? assert.fail()
    }
    const contained = await start('--net', '--mount')
    const orphan = await start('--net')
    await datapath.leave()
    datapath = startDatapath(inventory, state.path)
    await datapath.reconciler.start()
    assert.ok(isAlive(contained))
    assert.ok(!isAlive(orphan))
  })

  it('takes everything down, but for the bridges that guests are on', async () => {
    const pid = pidOf()
    const { failed } = await datapath.reconciler.teardown()
    assert.deepEqual(failed, [])
    assert.equal(processId(pid), undefined)
    assert.ok(!existsSync(`/run/netns/${RED}`))
    assert.deepEqual(
      (await deviceNames()).filter((name) => /^(tap.*-d|ns-)/.test(name)),
      [],
    )
    await Promise.all([redGuest.remove(), blueGuest.remove()])
    await datapath.reconciler.look()
    assert.deepEqual(
      (await deviceNames()).filter((name) => name !== 'lo'),
      ['brqforeign'],
    )
  })

  function pidFile(): string {
    return join(state.path, 'dhcp/aaaaaaaa-1/pid')
  }
})
