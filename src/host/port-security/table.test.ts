import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { News } from '../news.ts'
import { keyText, readElement } from './elements.ts'
import { PortSecurityTable } from './kept-table.ts'
import { changeInput, readTable, tableName } from './table.ts'

describe('elements', () => {
  const rows = [
    { text: 'ports tap1', key: '"tap1"', printed: 'tap1' },
    {
      text: 'macs tap1 fa:16:3e:00:00:01',
      key: '"tap1" . fa:16:3e:00:00:01',
      printed: { concat: ['tap1', 'fa:16:3e:00:00:01'] },
    },
    { text: 'ipv4 tap1 10.0.0.1', key: '"tap1" . 10.0.0.1', printed: { concat: ['tap1', '10.0.0.1'] } },
    { text: 'ipv6 tap1 fd00::1', key: '"tap1" . fd00::1', printed: { concat: ['tap1', 'fd00:0::1'] } },
    {
      text: 'ipv4_ranges tap1 0.0.0.0/0',
      key: '"tap1" . 0.0.0.0/0',
      printed: { concat: ['tap1', { prefix: { addr: '0.0.0.0', len: 0 } }] },
    },
    {
      text: 'ipv4_ranges tap1 10.0.0.0/23',
      key: '"tap1" . 10.0.0.0/23',
      printed: { concat: ['tap1', { range: ['10.0.0.0', '10.0.1.255'] }] },
    },
    { text: 'targets tap1 ::5', key: `"tap1" . 0x${'5'.padStart(32, '0')}`, printed: { concat: ['tap1', 5] } },
    {
      text: 'target_ranges tap1 fd00::/64',
      key: '"tap1" . 0xfd000000000000000000000000000000-0xfd00000000000000ffffffffffffffff',
      printed: {
        concat: ['tap1', { range: ['0xfd000000000000000000000000000000', '0xfd00000000000000ffffffffffffffff'] }],
      },
    },
  ] as const
  for (const { text, key, printed } of rows)
    it(`${text} is written for nft, and known in what it prints`, () => {
      assert.equal(keyText(text), key)
      assert.equal(readElement(text.slice(0, text.indexOf(' ')) as 'ports', printed), text)
    })

  it('are written only when nft can read nothing else in them', () => {
    for (const text of ['ports tap"', 'ports eth0', 'ipv4 tap1 1.2.3.4 }', 'ipv4 tap1 x\ny', 'others tap1'])
      assert.throws(() => keyText(text), /cannot be an element/)
  })

  it('that others have added are known for that', () => {
    for (const printed of ['eth0', { elem: { val: 'tap1' } }, 7]) assert.equal(readElement('ports', printed), undefined)
  })
})

describe('the table', () => {
  it('has a name of its own for each state directory', () => {
    assert.match(tableName('firstboot:/var/lib/firstboot'), /^firstboot-[0-9a-f]{12}$/)
    assert.notEqual(tableName('firstboot:/a'), tableName('firstboot:/b'))
  })

  it('is changed by removals before additions', () => {
    assert.equal(
      changeInput('t', ['ipv4 tap1 10.0.0.2', 'ipv4 tap2 10.0.0.3'], ['ipv4 tap1 10.0.0.1']),
      [
        'delete element bridge t ipv4 {',
        '"tap1" . 10.0.0.1',
        '}',
        'add element bridge t ipv4 {',
        '"tap1" . 10.0.0.2,',
        '"tap2" . 10.0.0.3',
        '}\n',
      ].join('\n'),
    )
  })

  it('that cannot be read is damaged', () => {
    assert.deepEqual(readTable(''), { damage: 'nft cannot print the table', elements: new Set() })
    assert.match(readTable('{"nftables": []}').damage ?? '', /set ports is missing/)
  })

  it('cannot be kept without nft, which is said once', async () => {
    const path = process.env['PATH']
    const warnings: string[] = []
    const news = new News()
    const table = new PortSecurityTable({
      mark: 'firstboot:/nowhere',
      news,
      warn: (what) => warnings.push(what),
      onRead: () => assert.fail('nothing can be read'),
    })
    process.env['PATH'] = '/nowhere'
    try {
      assert.equal(await table.observe(), undefined)
      assert.equal(await table.observe(), undefined)
    } finally {
      process.env['PATH'] = path
      table.close()
      news.close()
    }
    assert.deepEqual(warnings, [
      "nft is not installed: install the Debian package nftables; without it a guest can take a neighbour's address and read that one's metadata",
    ])
  })
})
