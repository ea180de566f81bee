import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Headers } from '../http/messages.ts'
import type { IpAddress, MacAddress } from '../inventory/records/address.ts'
import type { NetworkId, PortId, ProjectId } from '../inventory/records/ids.ts'
import type { Port } from '../inventory/records/port.ts'
import { BadOrigin, DirectoryUnavailable, InstanceUnknown } from './errors.ts'
import type { PortDirectory } from './port-directory.ts'
import { readOrigin, resolveInstance } from './resolve.ts'

const NETWORK = 'ac52ac2a-6e45-46bd-a838-1a6fcd4b8568'

function port(given: Partial<Port> & { readonly address: string }): Port {
  return {
    id: `port-${given.address}` as PortId,
    networkId: NETWORK as NetworkId,
    projectId: 'p1' as ProjectId,
    name: '',
    macAddress: 'fa:16:3e:be:3d:62' as MacAddress,
    adminStateUp: true,
    fixedIps: [{ subnetId: 's' as never, ipAddress: given.address as IpAddress }],
    securityGroupIds: [],
    deviceId: 'b65cee2f-8c69-4aeb-be2f-f79742548fc2',
    deviceOwner: 'compute:nova',
    vnicType: 'normal',
    vifType: 'bridge',
    portSecurityEnabled: true,
    allowedAddressPairs: [],
    ...given,
  }
}

function directory(...ports: Port[]): PortDirectory {
  return {
    find: async (within, client) =>
      ports.filter(
        (each) =>
          'networkId' in within &&
          within.networkId === each.networkId &&
          ('mac' in client
            ? each.macAddress === client.mac
            : each.fixedIps.some((fixed) => fixed.ipAddress === client.fixedIp)),
      ),
  }
}

describe('where a request came from', () => {
  const good: { name: string; given: [string, string][]; want: string }[] = [
    { name: 'one address', given: [['X-Forwarded-For', '10.0.0.11']], want: '10.0.0.11' },
    {
      name: 'an IPv4 peer of a dual-stack socket',
      given: [['X-Forwarded-For', '::ffff:10.0.0.11']],
      want: '10.0.0.11',
    },
    { name: 'IPv6 in any spelling', given: [['X-Forwarded-For', '2001:DB8:0::11']], want: '2001:db8::11' },
    {
      name: 'the last line, which haproxy appended behind the guest’s own',
      given: [
        ['X-Forwarded-For', '10.0.0.99'],
        ['X-Forwarded-For', '10.0.0.11'],
      ],
      want: '10.0.0.11',
    },
    { name: 'the last of a list', given: [['X-Forwarded-For', '10.0.0.99, 10.0.0.11']], want: '10.0.0.11' },
  ]
  for (const { name, given, want } of good)
    it(name, () => assert.equal(readOrigin(Headers.of([['X-Neutron-Network-ID', NETWORK], ...given])).address, want))

  const from: [string, string] = ['X-Forwarded-For', '10.0.0.11']
  it('is a network where neutron’s proxy of the OVN path says so', () =>
    assert.deepEqual(readOrigin(Headers.of([['X-OVN-Network-ID', NETWORK], from])).within, { networkId: NETWORK }))

  const bad: { name: string; given: [string, string][] }[] = [
    { name: 'neither network nor router', given: [from] },
    { name: 'both', given: [['X-Neutron-Network-ID', 'a'], ['X-Neutron-Router-ID', 'b'], from] },
    { name: 'two networks', given: [['X-Neutron-Network-ID', 'a'], ['X-OVN-Network-ID', 'b'], from] },
    { name: 'an empty network only', given: [['X-Neutron-Network-ID', ''], from] },
    { name: 'a network that is no id', given: [['X-Neutron-Network-ID', 'a/../b?x=1'], from] },
    { name: 'a router’s id of a thousand letters', given: [['X-Neutron-Router-ID', 'a'.repeat(1000)], from] },
    { name: 'the network twice', given: [['X-Neutron-Network-ID', 'a'], ['X-Neutron-Network-ID', 'b'], from] },
    { name: 'no address', given: [['X-Neutron-Network-ID', 'a']] },
    {
      name: 'an empty address',
      given: [
        ['X-Neutron-Network-ID', 'a'],
        ['X-Forwarded-For', ''],
      ],
    },
    {
      name: 'text for an address',
      given: [
        ['X-Neutron-Network-ID', 'a'],
        ['X-Forwarded-For', 'localhost'],
      ],
    },
    {
      name: 'an address with a port',
      given: [
        ['X-Neutron-Network-ID', 'a'],
        ['X-Forwarded-For', '10.0.0.1:80'],
      ],
    },
    {
      name: 'an address with a zone',
      given: [
        ['X-Neutron-Network-ID', 'a'],
        ['X-Forwarded-For', 'fe80::1%eth0'],
      ],
    },
  ]
  for (const { name, given } of bad)
    it(`is refused with ${name}`, () => assert.throws(() => readOrigin(Headers.of(given)), BadOrigin))

  it('an empty router counts as absent', () => {
    const origin = readOrigin(Headers.of([['X-Neutron-Network-ID', NETWORK], ['X-Neutron-Router-ID', ''], from]))
    assert.deepEqual(origin.within, { networkId: NETWORK })
  })
})

describe('who asks', () => {
  const at = (address: string, networkId = NETWORK) =>
    readOrigin(
      Headers.of([
        ['X-Neutron-Network-ID', networkId],
        ['X-Forwarded-For', address],
      ]),
    )
  const other = 'ad739368-71ea-4f28-a15e-78de2cc3dfe7'

  it('is the instance of the port with that address on that network', async () => {
    const ports = directory(
      port({ address: '10.0.0.11' }),
      port({ address: '10.0.0.11', networkId: other as NetworkId, deviceId: 'x' }),
    )
    const found = await resolveInstance(at('10.0.0.11'), ports)
    assert.equal(found.instanceId, 'b65cee2f-8c69-4aeb-be2f-f79742548fc2')
    assert.equal(found.projectId, 'p1')
  })

  it('is found by the MAC address in a link-local address', async () => {
    const found = await resolveInstance(at('fe80::f816:3eff:febe:3d62'), directory(port({ address: '2001:db8::5' })))
    assert.equal(found.instanceId, 'b65cee2f-8c69-4aeb-be2f-f79742548fc2')
  })

  it('may have a fixed IPv4 address in the link-local range', async () => {
    const found = await resolveInstance(at('169.254.9.9'), directory(port({ address: '169.254.9.9' })))
    assert.equal(found.instanceId, 'b65cee2f-8c69-4aeb-be2f-f79742548fc2')
  })

  const nobody: { name: string; ports: Port[]; address?: string }[] = [
    { name: 'no port has the address', ports: [port({ address: '10.0.0.12' })] },
    {
      name: 'only a port of another network has it',
      ports: [port({ address: '10.0.0.11', networkId: other as NetworkId })],
    },
    {
      name: 'two ports have it',
      ports: [port({ address: '10.0.0.11' }), port({ address: '10.0.0.11', id: 'b' as PortId })],
    },
    {
      name: 'a DHCP port has it',
      ports: [port({ address: '10.0.0.11', deviceOwner: 'network:dhcp', deviceId: 'dhcp-x' })],
    },
    { name: 'a router port has it', ports: [port({ address: '10.0.0.11', deviceOwner: 'network:router_interface' })] },
    {
      name: 'a port has it whose device is no instance’s id',
      ports: [port({ address: '10.0.0.11', deviceId: 'x\r\nX-Tenant-ID: y' })],
    },
    { name: 'an unbound port has it', ports: [port({ address: '10.0.0.11', deviceOwner: '', deviceId: '' })] },
    { name: 'a link-local address does not show a MAC', ports: [port({ address: 'fe80::1' })], address: 'fe80::1' },
  ]
  for (const { name, ports, address = '10.0.0.11' } of nobody)
    it(`is nobody when ${name}`, () =>
      assert.rejects(resolveInstance(at(address), directory(...ports)), InstanceUnknown))

  describe('from a link-local address that shows no MAC address of a port', () => {
    const mac = (number: number) => `fa:16:3e:00:00:0${number}` as MacAddress
    const guest = (number: number) =>
      port({ address: `2001:db8::${number}`, macAddress: mac(number), deviceId: `instance-${number}` })
    /** A directory with ports 1 and 2 and what neighbours have said; how often that was asked for. */
    const hearing = (heard: readonly number[] | undefined) => {
      const asked: string[] = []
      const heardAs = async (_: unknown, address: string) => {
        asked.push(address)
        return heard?.map(mac)
      }
      return { asked, directory: { ...directory(guest(1), guest(2)), heardAs } }
    }
    const own = 'fe80::7c1e:93b0:55aa:1'

    const rows: { name: string; heard: number[] | undefined; from?: string; want: string | RegExp }[] = [
      { name: 'the instance whose port was heard with it', heard: [1], want: 'instance-1' },
      { name: 'also if it shows the MAC of nobody', heard: [2], from: 'fe80::ff:fe00:99', want: 'instance-2' },
      { name: 'the one of a port where several were heard', heard: [1, 9], want: 'instance-1' },
      {
        name: 'nobody when the MAC is no port’s',
        heard: [9],
        want: /heard with fa:16:3e:00:00:09, which is no port’s/,
      },
      { name: 'nobody when two ports were heard', heard: [1, 2], want: /have all been heard with fe80::7c1e/ },
      { name: 'nobody when nothing can be heard', heard: undefined, want: /shows no MAC address; no neighbour table/ },
    ]
    for (const { name, heard, from = own, want } of rows)
      it(`is ${name}`, async () => {
        const found = resolveInstance(at(from), hearing(heard).directory)
        if (typeof want === 'string') assert.equal((await found).instanceId, want)
        else
          await assert.rejects(found, (error) => {
            assert.ok(error instanceof InstanceUnknown)
            assert.match(String(error.cause), want)
            return true
          })
      })

    it('is not known now when the neighbour was forgotten since the connection was made', () =>
      assert.rejects(resolveInstance(at(own), hearing([]).directory), DirectoryUnavailable))

    it('is the one port that names it in its allowed address pairs, where nothing can be heard', async () => {
      const ports = { ...hearing(undefined).directory, findByAddressPair: async () => [guest(2)] }
      assert.equal((await resolveInstance(at(own), ports)).instanceId, 'instance-2')
    })

    it('is asked about nobody else', async () => {
      const { asked, directory: ports } = hearing([1])
      await resolveInstance(at('fe80::f816:3eff:fe00:2'), ports)
      await resolveInstance(at('2001:db8::2'), ports)
      await resolveInstance(at('10.0.0.2'), ports).catch(() => undefined)
      assert.deepEqual(asked, [])
    })
  })

  describe('from an address that is nobody’s fixed one', () => {
    const vip = '10.0.0.100'
    /** A directory in which these ports name the address in their allowed address pairs. */
    const naming = (...ports: Port[]): PortDirectory => ({
      ...directory(port({ address: '10.0.0.11', id: 'owner' as PortId })),
      findByAddressPair: async (_, address) => (address === vip ? ports : []),
    })
    const one = port({ address: '10.0.0.21', id: 'one' as PortId, deviceId: 'instance-1' })

    it('is the instance of the one port that names it', async () => {
      const found = await resolveInstance(at(vip), naming(one))
      assert.deepEqual([found.instanceId, found.address], ['instance-1', vip])
    })

    it('is nobody when two ports name it, and the reason is for the log', () =>
      assert.rejects(resolveInstance(at(vip), naming(one, { ...one, id: 'two' as PortId })), (error) => {
        assert.ok(error instanceof InstanceUnknown)
        assert.match(String(error.cause), /ports one, two all name in their allowed address pairs 10\.0\.0\.100/)
        assert.doesNotMatch(error.message, /one|two/)
        return true
      }))

    it('is nobody when the port that names it is no instance’s', () =>
      assert.rejects(resolveInstance(at(vip), naming({ ...one, deviceOwner: 'network:dhcp' })), InstanceUnknown))

    it('does not come before who owns it', async () => {
      const ports = { ...naming(one), find: directory(port({ address: vip })).find }
      const found = await resolveInstance(at(vip), ports)
      assert.equal(found.instanceId, 'b65cee2f-8c69-4aeb-be2f-f79742548fc2')
    })
  })
})
