import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { ownTables, parseIptablesSave } from '../src/host/firewall.ts'
import { type Firewall, NO_FIREWALL } from '../src/host/namespace.ts'
import { runProgram } from '../src/host/programs.ts'
import { type BridgedNamespaces, inside, openBridgedNamespaces } from './support/bridged-namespaces.ts'
import { noSandbox } from './support/datapath-machine.ts'
import { eventually } from './support/eventually.ts'
import { kernelTurn } from './support/kernel-turn.ts'

await kernelTurn()

// Rules of iptables in a namespace, by either of its two ways into the kernel.

let machine: BridgedNamespaces
before(async () => {
  if (!noSandbox) machine = await openBridgedNamespaces()
})
after(() => machine?.close())

function golden(name: string): string {
  return readFileSync(new URL(`golden/neutron/router/${name}`, import.meta.url), 'utf8')
}

const neutrons: Firewall = {
  4: ownTables(parseIptablesSave(golden('iptables-save.txt'))),
  6: ownTables(parseIptablesSave(golden('ip6tables-save.txt'))),
}

const variants = [
  { name: 'nf_tables', program: '/usr/sbin/xtables-nft-multi', netns: 'qrouter-a' },
  { name: 'legacy', program: '/usr/sbin/xtables-legacy-multi', netns: 'qrouter-c' },
]

for (const { name, program, netns } of variants)
  describe(`a firewall by ${name}`, { skip: noSandbox }, () => {
    const path = process.env['PATH']
    const own = () => join(machine.statePath, name)
    const words = ['', '-save', '-restore'].flatMap((end) => [`iptables${end}`, `ip6tables${end}`])

    before(() => {
      mkdirSync(own())
      for (const word of words) symlinkSync(program, join(own(), word))
      process.env['PATH'] = `${own()}:${path}`
      machine.reopen()
    })

    after(() => {
      process.env['PATH'] = path
    })

    const rulesOf = async () => parseIptablesSave((await inside(netns, 'iptables-save')).stdout)
    const set = (firewall: Firewall) => machine.host.execute([{ kind: 'firewall-set', netns, firewall }])
    const byHand = (...args: readonly string[]) => inside(netns, 'iptables', '-w', ...args)
    const isAsSet = async () => assert.deepEqual((await machine.observed(netns)).firewall, neutrons)
    const isNotAsSet = async () => assert.notDeepEqual((await machine.observed(netns)).firewall, neutrons)

    it('is nothing at first', async () => {
      assert.deepEqual((await machine.observed(netns)).firewall, NO_FIREWALL)
    })

    it('is read back as it was set', async () => {
      await set(neutrons)
      await isAsSet()
    })

    it('starts no program as long as nothing changes, whatever packets come', async () => {
      const packets = async (program: string) => (await inside(netns, program, '-c')).stdout.match(/\[\d+:\d+\]/g)
      // What the kernel announces late of a namespace that was made just now is read, too.
      await eventually('nothing is read', async () => {
        await machine.host.observe()
        machine.reads.length = 0
        const before = [await packets('iptables-save'), await packets('ip6tables-save')]
        for (const to of ['127.0.0.1', '::1']) await inside(netns, 'bash', '-c', `echo > /dev/udp/${to}/9`)
        for (const [i, program] of ['iptables-save', 'ip6tables-save'].entries())
          assert.notDeepEqual(await packets(program), before[i])
        await machine.host.observe()
        return machine.reads.length === 0
      })
    })

    it('leaves others’ rules where they are, and puts its jumps behind them', async () => {
      await byHand('-t', 'nat', '-N', 'theirs')
      await byHand('-t', 'nat', '-A', 'theirs', '-j', 'RETURN')
      await byHand('-t', 'nat', '-A', 'PREROUTING', '-i', 'eth9', '-j', 'theirs')
      await byHand('-t', 'nat', '-F', 'neutron-l3-agent-PREROUTING')
      await byHand('-P', 'FORWARD', 'DROP')
      await isNotAsSet()
      await set({
        ...neutrons,
        4: neutrons[4].map((table) =>
          table.name !== 'nat' ? table : { ...table, rules: table.rules.filter((rule) => !/snat|bottom/.test(rule)) },
        ),
      })
      const nat = (await rulesOf()).find((table) => table.name === 'nat')
      assert.ok(nat?.chains.includes('theirs') && nat.rules.includes('-A theirs -j RETURN'))
      await set(neutrons)
      assert.match((await inside(netns, 'iptables-save')).stdout, /^:FORWARD DROP/m)
      const prerouting = (await rulesOf()).find((table) => table.name === 'nat')?.rules ?? []
      assert.deepEqual(prerouting.filter((rule) => rule.startsWith('-A PREROUTING')).slice(0, 1), [
        '-A PREROUTING -i eth9 -j theirs',
      ])
      await isAsSet()
    })

    const damage: readonly { readonly what: string; readonly by: readonly string[] }[] = [
      { what: 'one rule deleted', by: ['-D', 'neutron-l3-agent-INPUT', '1'] },
      { what: 'a jump taken out', by: ['-t', 'nat', '-D', 'PREROUTING', '-j', 'neutron-l3-agent-PREROUTING'] },
      { what: 'a rule inserted into a chain of ours', by: ['-I', 'neutron-l3-agent-INPUT', '-j', 'ACCEPT'] },
      { what: 'another rule of the same size', by: ['-R', 'neutron-l3-agent-INPUT', '1', '-j', 'ACCEPT'] },
      { what: 'a table flushed', by: ['-t', 'nat', '-F'] },
      { what: 'another chain of ours', by: ['-N', 'neutron-l3-agent-odd'] },
    ]
    for (const { what, by } of damage)
      it(`sees ${what}, and mends it`, async () => {
        await byHand(...by)
        await isNotAsSet()
        await set(neutrons)
        await isAsSet()
      })

    it('tells those who wait for drift, without a look', async (t) => {
      const drift: string[] = []
      await machine.host.observe()
      t.after(machine.host.onDrift((what) => drift.push(what)))
      await inside(netns, 'ip6tables', '-w', '-F')
      await eventually('the rules are missed', () => drift.includes(`firewall of ${netns} changed`))
      await set(neutrons)
      await isAsSet()
    })

    it('goes altogether, and what others have stays', async () => {
      await byHand('-t', 'nat', '-I', 'PREROUTING', '-i', 'eth9', '-j', 'theirs')
      await set(NO_FIREWALL)
      assert.deepEqual((await machine.observed(netns)).firewall, NO_FIREWALL)
      const { stdout } = await inside(netns, 'iptables-save')
      assert.doesNotMatch(stdout, /neutron/)
      assert.match(stdout, /-A PREROUTING -i eth9 -j theirs/)
    })

    it('says which rule is refused, and leaves the table as it was', async () => {
      await set(neutrons)
      const odd = { name: 'filter', chains: ['neutron-l3-agent-x'], rules: ['-A neutron-l3-agent-x --odd'] } as const
      await assert.rejects(set({ ...neutrons, 4: [odd] }), /qrouter-.: `iptables-restore.*-A neutron-l3-agent-x --odd/)
      const table = (await machine.observed(netns)).firewall[4].find((one) => one.name === 'filter')
      assert.deepEqual(
        table,
        neutrons[4].find((one) => one.name === 'filter'),
      )
    })
  })

describe('a machine without iptables', { skip: noSandbox }, () => {
  it('is looked at all the same, and says what to install when there is something to set', async (t) => {
    const path = process.env['PATH']
    t.after(() => {
      process.env['PATH'] = path
    })
    const bare = join(machine.statePath, 'bare')
    mkdirSync(bare)
    const ip = (await runProgram('sh', ['-c', 'command -v ip'])).stdout.trim()
    symlinkSync(ip, join(bare, 'ip'))
    machine.reopen()
    process.env['PATH'] = bare
    assert.deepEqual((await machine.observed('qrouter-b')).firewall, NO_FIREWALL)
    await assert.rejects(
      machine.host.execute([{ kind: 'firewall-set', netns: 'qrouter-b', firewall: neutrons }]),
      /setting the firewall rules of qrouter-b: iptables is not installed: install the Debian package iptables/,
    )
  })
})
