import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DHCP, healthy, NETNS, OWN_INODE, STATE } from '../../test/support/healthy-host.ts'
import { CHECKS, examineHost } from './examine.ts'
import type { Facts } from './facts.ts'

function without(program: string): Facts {
  return { ...healthy, programs: new Map([...healthy.programs].filter(([name]) => name !== program)) }
}

function having(program: string, says: string, version: string): Facts {
  return { ...healthy, programs: new Map([...healthy.programs, [program, { says, version }]]) }
}

const kernel = (rest: Partial<Facts['kernel']>): Facts => ({ ...healthy, kernel: { ...healthy.kernel, ...rest } })
const own = (rest: Partial<Facts['own']>): Facts => ({ ...healthy, own: { ...healthy.own, ...rest } })
const state = (rest: Partial<Facts['state']>): Facts => ({ ...healthy, state: { ...healthy.state, ...rest } })
const network = (rest: object): Facts => ({ ...healthy, network: { ...healthy.network, ...rest } })
const trial = (name: string) => kernel({ trials: new Map([...healthy.kernel.trials, [name, { value: 'it says no' }]]) })

function neighbours(rest: object): Facts {
  const before = 'value' in healthy.neighbours ? healthy.neighbours.value : assert.fail()
  return { ...healthy, neighbours: { value: { ...before, ...rest } } }
}

const stranger = { pid: 4711, arguments: ['nginx: master\u001b[2J'] }
const listens = (address: string, port: number, owner: object | undefined = stranger) => ({
  protocol: 'tcp',
  address,
  port,
  owner,
})
const server = (rest: object) => ({
  pid: 40,
  arguments: [],
  netnsInode: OWN_INODE,
  directory: undefined,
  interfaces: [],
  ...rest,
})

interface Fault {
  readonly name: string
  readonly facts: Facts
  readonly check: string
  readonly severity: 'error' | 'warning' | 'unknown'
  /** In what was observed or is to be done. */
  readonly says: RegExp
}

const faults: readonly Fault[] = [
  fault(
    'an old Node',
    { ...healthy, node: { running: '20.19.0', oldest: '24' } },
    'process/node',
    'error',
    /20\.19\.0/,
  ),
  fault(
    'no privileges',
    own({ capabilities: { value: 1n << 12n } }),
    'process/capabilities',
    'warning',
    /CAP_SYS_ADMIN/,
  ),
  fault(
    'few descriptors',
    own({ openFiles: { value: { soft: 256, hard: 256 } } }),
    'process/open-files',
    'warning',
    /256/,
  ),
  fault('few watches', own({ inotifyWatches: { value: 8 } }), 'process/inotify', 'warning', /max_user_watches/),
  fault('few watchers', own({ inotifyInstances: { value: 2 } }), 'process/inotify', 'warning', /max_user_instances/),
  fault('no dnsmasq', without('dnsmasq'), 'programs/dnsmasq', 'error', /dnsmasq-base/),
  fault('no nft', without('nft'), 'programs/nft', 'warning', /neighbour’s address.*nftables/s),
  fault('no radvd', without('radvd'), 'programs/radvd', 'warning', /routers/),
  fault('an old dnsmasq', having('dnsmasq', 'Dnsmasq version 2.9', '2.9'), 'programs/dnsmasq', 'error', /2\.9\b/),
  fault(
    'both variants of iptables',
    kernel({ legacyTables: { value: ['nat'] } }),
    'programs/iptables-variants',
    'warning',
    /legacy/,
  ),
  fault(
    'no namespaces',
    kernel({ namespaceProblem: 'No sandbox can be made: AppArmor' }),
    'kernel/namespaces',
    'error',
    /AppArmor/,
  ),
  fault('no veth', trial('veth'), 'kernel/veth', 'error', /it says no/),
  fault('no bridge', trial('bridge'), 'kernel/bridge', 'error', /it says no/),
  fault('no nat', trial('redirect'), 'kernel/redirect', 'warning', /REDIRECT/),
  fault('no nat for IPv6', trial('redirect-ipv6'), 'kernel/redirect-ipv6', 'warning', /ip6table_nat/),
  fault('no filter on bridges', trial('port-security'), 'kernel/port-security', 'warning', /NF_TABLES_BRIDGE/),
  fault('a kernel without IPv6', kernel({ hasIpv6: false }), 'kernel/ipv6', 'warning', /no IPv6/),
  fault('IPv6 switched off', kernel({ isIpv6Disabled: true }), 'kernel/ipv6', 'warning', /disable_ipv6=0/),
  fault('somebody else’s state', state({ isWritable: false }), 'state/directory', 'error', /cannot be written/),
  fault('a full disk', state({ disk: { value: { freeBytes: 0, freeFiles: 1e6 } } }), 'state/space', 'error', /0 MiB/),
  fault(
    'a nearly full disk',
    state({ disk: { value: { freeBytes: 1e8, freeFiles: 1e6 } } }),
    'state/space',
    'warning',
    /95/,
  ),
  fault('no inodes', state({ disk: { value: { freeBytes: 1e12, freeFiles: 3 } } }), 'state/space', 'error', /3 files/),
  fault('a long path', state({ path: `/${'é'.repeat(50)}` }), 'state/socket-path', 'error', /at most 88 bytes/),
  fault(
    'a secret for everybody',
    state({ secretModes: new Map([['/s', 0o644]]) }),
    'state/secret-mode',
    'error',
    /0644.*chmod 600 \/s/s,
  ),
  fault(
    'a killed agent',
    state({ staleSockets: { value: ['/s/run/metadata_proxy'] } }),
    'state/sockets',
    'error',
    /firstboot metadata-agent/,
  ),
  fault(
    'a killed run',
    state({ staleSockets: { value: ['/s/run/sockets'] }, holder: undefined }),
    'state/sockets',
    'warning',
    /was killed/,
  ),
  fault('a clock that never was set', { ...healthy, now: 0 }, 'clock/date', 'error', /1970-01-01/),
  fault('a clock far ahead', { ...healthy, now: Date.UTC(2106, 1, 7) }, 'clock/date', 'error', /2106/),
  fault('a clock set back', { ...healthy, now: Date.UTC(2026, 5, 1) }, 'clock/date', 'warning', /2026-11-20/),
  fault(
    'a misspelt variable',
    { ...healthy, configuration: { unknown: [{ name: 'FIRSTBOOT_X', meant: 'FIRSTBOOT_Y' }], wrong: [] } },
    'configuration/variables',
    'error',
    /write FIRSTBOOT_Y/,
  ),
  fault(
    'a value that is none',
    { ...healthy, configuration: { unknown: [], wrong: ['FIRSTBOOT_Y: "maybe" is neither'] } },
    'configuration/variables',
    'error',
    /maybe/,
  ),
  fault(
    'secrets that differ',
    {
      ...healthy,
      secrets: {
        value: [
          { side: 'agent', where: 'the agent', digest: 'a' },
          { side: 'api', where: 'nova.conf', digest: 'b' },
        ],
      },
    },
    'configuration/shared-secret',
    'error',
    /the agent differs from that of nova\.conf/,
  ),
  fault(
    'a state directory that was deleted',
    { ...healthy, owners: new Map([[STATE, { exists: false, holder: undefined }]]) },
    'leftovers/marked',
    'error',
    /ip link delete brq/,
  ),
  fault(
    'a run that was killed',
    { ...healthy, owners: new Map([[STATE, { exists: true, holder: undefined }]]) },
    'leftovers/marked',
    'warning',
    /on which nobody runs/,
  ),
  fault(
    'names from before a reboot',
    network({ emptyNames: [NETNS] }),
    'leftovers/names',
    'warning',
    /ip netns delete/,
  ),
  fault(
    'dnsmasq of a deleted namespace',
    neighbours({ dnsmasq: [server({ netnsInode: 5, directory: DHCP })] }),
    'leftovers/dnsmasq',
    'warning',
    /kill 40/,
  ),
  fault(
    'a web server in our namespace',
    network({ listeningInside: { value: new Map([[NETNS, [listens('0.0.0.0', 80)]]]) } }),
    'clashes/metadata-address',
    'error',
    /nginx.*kill 4711/s,
  ),
  fault(
    'somebody’s metadata on the host',
    network({ listening: [listens('169.254.169.254', 80)] }),
    'clashes/host-metadata-address',
    'warning',
    /nginx/,
  ),
  fault('a Nova', network({ listening: [listens('0.0.0.0', 8775)] }), 'clashes/metadata-api-port', 'warning', /nginx/),
  fault(
    'dnsmasq on our bridge',
    neighbours({ dnsmasq: [server({ interfaces: ['brq0835bc8c-d2'] })] }),
    'clashes/dhcp',
    'error',
    /answers on brq/,
  ),
  fault(
    'dnsmasq on every interface',
    neighbours({ dnsmasq: [server({ pid: 30 })] }),
    'clashes/dhcp',
    'error',
    /every interface/,
  ),
  fault(
    'an agent of Neutron',
    neighbours({
      neutronAgents: [{ pid: 50, arguments: ['python3', '/usr/bin/neutron-dhcp-agent'], netnsInode: OWN_INODE }],
    }),
    'clashes/neutron',
    'warning',
    /neutron-dhcp-agent/,
  ),
  fault(
    'Docker’s firewall',
    kernel({ isBridgeFiltered: true, forwardPolicy: { value: 'DROP' } }),
    'clashes/bridge-filter',
    'error',
    /DOCKER-USER/,
  ),
]

function fault(name: string, facts: Facts, check: string, severity: Fault['severity'], says: RegExp): Fault {
  return { name, facts, check, severity, says }
}

describe('a healthy host', () => {
  for (const found of examineHost(healthy))
    it(`${found.check} is well`, () =>
      assert.deepEqual([found.severity, found.mend], ['ok', undefined], found.observed))
})

describe('a host with', () => {
  for (const { name, facts, check, severity, says } of faults)
    it(`${name} has that named, and nothing else`, () => {
      const told = examineHost(facts).filter((each) => each.severity !== 'ok')
      assert.deepEqual([...new Set(told.map((each) => each.check))], [check])
      assert.equal(told[0]?.severity, severity)
      assert.match(told.map(({ observed, mend }) => `${observed}\n${mend}`).join('\n'), says)
    })

  it('everybody’s eyes shut says what could not be seen, and accuses nobody', () => {
    const unknown = { unknown: 'only root may look' }
    const blind: Facts = {
      ...healthy,
      own: {
        capabilities: unknown,
        openFiles: unknown,
        inotifyWatches: unknown,
        inotifyInstances: unknown,
      },
      neighbours: unknown,
      secrets: unknown,
      network: { ...healthy.network, marked: unknown, listeningInside: unknown, listening: [] },
      state: { ...healthy.state, disk: unknown, staleSockets: unknown },
      kernel: { ...healthy.kernel, legacyTables: unknown, trials: new Map() },
    }
    const told = examineHost(blind).filter(({ severity }) => severity !== 'ok')
    assert.deepEqual([...new Set(told.map(({ severity }) => severity))], ['unknown'])
    assert.ok(told.length >= 10)
  })
})

describe('the checks', () => {
  it('have names of their own, in a group', () => {
    const names = CHECKS.map(({ name }) => name)
    assert.equal(new Set(names).size, names.length)
    for (const name of names) assert.match(name, /^[a-z]+\/[a-z0-9_-]+$/)
  })

  it('each fail for some fault', () => {
    const failing = new Set(faults.map(({ check }) => check))
    const untried = CHECKS.map(({ name }) => name).filter((name) => !failing.has(name))
    // One row stands for all programs; those of OVN have a test of their own.
    assert.deepEqual(
      untried.filter((name) => !/^(programs|ovn)\//.test(name)),
      [],
    )
  })
})
