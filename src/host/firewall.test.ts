import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { canonicalFirewall, ownTables, parseIptablesSave, restoreInput } from './firewall.ts'
import type { FirewallTable } from './namespace.ts'

function golden(name: string): string {
  return readFileSync(new URL(`../../test/golden/neutron/router/${name}`, import.meta.url), 'utf8')
}

const tableNames = (tables: readonly { readonly name: string }[]) => tables.map(({ name }) => name)

describe('what iptables-save prints', () => {
  for (const file of ['iptables-save.txt', 'ip6tables-save.txt']) {
    const text = golden(file)
    const own = ownTables(parseIptablesSave(text))

    it(`is ours to the last rule in a router of neutron's: ${file}`, () => {
      const printed = text.split('\n')
      const expected = printed.filter((line) => line.startsWith('-A ')).toSorted()
      assert.deepEqual(own.flatMap(({ rules }) => rules).toSorted(), expected)
      const chains = printed.filter((line) => line.startsWith(':neutron-')).map((line) => line.slice(1).split(' ')[0])
      assert.deepEqual(own.flatMap((table) => table.chains).toSorted(), chains.toSorted())
    })

    it(`needs nothing done when it is what is wanted: ${file}`, () => {
      assert.equal(restoreInput(parseIptablesSave(text), own), '')
    })

    it(`keeps the order of rules in each chain: ${file}`, () => {
      for (const { name, rules } of own) {
        const saved = parseIptablesSave(text).find((table) => table.name === name)?.rules ?? []
        const chains = Map.groupBy(rules, (rule) => rule.split(' ')[1])
        for (const [chain, ours] of chains)
          assert.deepEqual(
            ours,
            saved.filter((rule) => rule.split(' ')[1] === chain),
          )
      }
    })
  }

  it('is the same whatever the order of its tables and chains', () => {
    const tables = ownTables(parseIptablesSave(golden('iptables-save.txt')))
    const shuffled = tables.map(({ chains, rules, ...table }) => {
      const byChain = [...Map.groupBy(rules, (rule) => rule.split(' ')[1]).values()]
      return { ...table, chains: chains.toReversed(), rules: byChain.toReversed().flat() }
    })
    assert.deepEqual(canonicalFirewall({ 4: shuffled.toReversed(), 6: [] }), { 4: tables, 6: [] })
    assert.deepEqual(tableNames(tables), ['raw', 'mangle', 'nat', 'filter'])
  })

  it('is not ours where others wrote it', () => {
    const text = [
      '*filter',
      ':INPUT ACCEPT [0:0]',
      ':neutron-l3-agent-INPUT - [0:0]',
      ':theirs - [0:0]',
      '-A INPUT -j theirs',
      '-A INPUT -p tcp -m tcp --dport 22 -m comment --comment "not -j neutron-l3-agent-INPUT at all" -j ACCEPT',
      '-A INPUT -i eth0 -j neutron-l3-agent-INPUT',
      '-A theirs -j neutron-l3-agent-INPUT',
      'COMMIT',
      '*security',
      ':neutron-l3-agent-INPUT - [0:0]',
      'COMMIT',
      '*nat',
      ':theirs - [0:0]',
      'COMMIT',
      '',
    ].join('\n')
    assert.deepEqual(ownTables(parseIptablesSave(text)), [
      {
        name: 'filter',
        chains: ['neutron-l3-agent-INPUT'],
        rules: ['-A INPUT -i eth0 -j neutron-l3-agent-INPUT'],
      },
    ])
  })
})

describe('what iptables-restore is given', () => {
  const nat: FirewallTable = {
    name: 'nat',
    chains: ['neutron-l3-agent-PREROUTING'],
    rules: ['-A PREROUTING -j neutron-l3-agent-PREROUTING', '-A neutron-l3-agent-PREROUTING -j RETURN'],
  }
  const saved = (lines: readonly string[]) => parseIptablesSave(['*nat', ...lines, 'COMMIT'].join('\n'))

  const rows = [
    {
      name: 'makes a table',
      given: [],
      wanted: [nat],
      lines: ['*nat', ':neutron-l3-agent-PREROUTING - [0:0]', ...nat.rules, 'COMMIT'],
    },
    {
      name: 'takes out all jumps, the doubled one too, before it puts them back',
      given: [
        ':neutron-l3-agent-PREROUTING - [0:0]',
        '-A PREROUTING -j neutron-l3-agent-PREROUTING',
        '-A PREROUTING -j neutron-l3-agent-PREROUTING',
      ],
      wanted: [nat],
      lines: [
        '*nat',
        ':neutron-l3-agent-PREROUTING - [0:0]',
        '-D PREROUTING -j neutron-l3-agent-PREROUTING',
        '-D PREROUTING -j neutron-l3-agent-PREROUTING',
        ...nat.rules,
        'COMMIT',
      ],
    },
    {
      name: 'deletes a chain when nothing jumps to it any more',
      given: [':neutron-l3-agent-snat - [0:0]', '-A POSTROUTING -j neutron-l3-agent-snat'],
      wanted: [],
      lines: [
        '*nat',
        ':neutron-l3-agent-snat - [0:0]',
        '-D POSTROUTING -j neutron-l3-agent-snat',
        '-X neutron-l3-agent-snat',
        'COMMIT',
      ],
    },
  ]
  for (const { name, given, wanted, lines } of rows)
    it(name, () => assert.equal(restoreInput(saved(given), wanted), `${lines.join('\n')}\n`))

  const refused = [
    { name: 'a chain of others', table: { ...nat, chains: ['DOCKER'] }, why: /DOCKER of nat begins with none of/ },
    { name: 'a rule that is no jump to ours', rule: '-A PREROUTING -j ACCEPT', why: /neither is in a chain of ours/ },
    { name: 'a rule of a chain that is not declared', rule: '-A neutron-l3-agent-x -j ACCEPT', why: /neither/ },
    { name: 'a line that hides another', rule: `${nat.rules[1]}\n-F INPUT`, why: /neither/ },
    { name: 'something other than a rule', rule: '-I neutron-l3-agent-PREROUTING -j ACCEPT', why: /neither/ },
  ]
  for (const { name, table, rule, why } of refused)
    it(`is never ${name}`, () =>
      assert.throws(() => restoreInput([], [table ?? { ...nat, rules: [...nat.rules, rule ?? ''] }]), why))
})
