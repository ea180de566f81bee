import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { configurationFacts } from './configuration.ts'
import { doctorLines, doctorSummary } from './report.ts'
import { iniValue } from './secrets.ts'

describe('variables of the environment', () => {
  it('that no option has name the nearest that one has', async () => {
    const { unknown, wrong } = await configurationFacts({
      FIRSTBOOT_STATE_DIRR: '/a',
      FIRSTBOOT_ZZZZZZZZZZ: '1',
      FIRSTBOOT_SANDBOX: '1',
      FIRSTBOOT_STATE_DIR: '/b',
      OTHER: 'x',
    })
    assert.deepEqual(unknown, [
      { name: 'FIRSTBOOT_STATE_DIRR', meant: 'FIRSTBOOT_STATE_DIR' },
      { name: 'FIRSTBOOT_ZZZZZZZZZZ', meant: undefined },
    ])
    assert.deepEqual(wrong, [])
  })

  it('that cannot be read are told once, whatever number of commands has the option', async () => {
    const { wrong } = await configurationFacts({ FIRSTBOOT_METADATA_LISTEN_PORT: '70000', FIRSTBOOT_LOG_LEVEL: 'loud' })
    assert.equal(wrong.length, 2)
    assert.match(wrong[0] ?? '', /^FIRSTBOOT_METADATA_LISTEN_PORT: "70000" is not a whole number/)
  })
})

describe('a value of an ini file', () => {
  const text = '[DEFAULT]\nname = a\n# name = b\n[neutron]\nname= c \nother = name\n[DEFAULT]\nname : d\n'
  const cases: readonly (readonly [section: string, want: string | undefined])[] = [
    ['DEFAULT', 'd'],
    ['neutron', 'c'],
    ['nova', undefined],
  ]
  for (const [section, want] of cases)
    it(`of [${section}] is ${want}`, () => assert.equal(iniValue(text, section, 'name'), want))
})

describe('the report', () => {
  const examined = [
    { check: 'a/dark', expected: 'E.', severity: 'unknown', observed: 'only root' },
    { check: 'a/well', expected: 'E.', severity: 'ok', observed: '1.2' },
    { check: 'a/bad', expected: 'E.', severity: 'error', observed: 'evil\u001b[2J', mend: 'M' },
  ] as const

  it('has a line for what is well, three for what is not, and the unknown last', () =>
    assert.deepEqual(
      doctorLines(examined, (_, text) => text),
      [
        'ok       a/well  1.2',
        'error    a/bad   evil?[2J',
        '         expected: E.',
        '         mend: M',
        'unknown  a/dark  only root',
      ],
    ))

  it('is summed up', () => {
    assert.equal(doctorSummary(examined), '1 error; 1 check could not be made (root sees more).')
    assert.equal(doctorSummary(examined.slice(1, 2)), 'nothing wrong.')
  })
})
