import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { integer, list, listOf, oneOf, text, truth } from './option.ts'
import { readOptions, UsageError } from './read.ts'

const options = {
  state_dir: text('DIR', '/var/lib/firstboot', 'Where.', { short: 's' }),
  dhcp_lease_duration: integer('SECONDS', 86_400, 'How long.', { min: 120, max: 1_000_000 }),
  log_level: oneOf(['debug', 'info'], 'info', 'How much.'),
  force_metadata: truth(false, 'Always.'),
  enable_isolated_metadata: truth(true, 'Without a router.'),
  targets: list('TARGET,...', [], 'Whom to ask.'),
  providers: listOf(['StaticJSON', 'DynamicJSON'], ['StaticJSON'], 'Where from.'),
}
const read = (args: string[], env = {}) => readOptions(options, args, env)

describe('options', () => {
  it('have defaults', () => assert.equal(read([]).values.dhcp_lease_duration, 86_400))

  it('are read from the environment, and a flag wins', () => {
    const env = { FIRSTBOOT_STATE_DIR: '/env', FIRSTBOOT_FORCE_METADATA: 'yes' }
    assert.equal(read([], env).values.state_dir, '/env')
    assert.equal(read(['-s', '/flag'], env).values.state_dir, '/flag')
    assert.equal(read([], env).values.force_metadata, true)
  })

  it('can be switched off', () =>
    assert.equal(read(['--no-enable-isolated-metadata']).values.enable_isolated_metadata, false))

  it('can be lists, with blanks between', () => {
    const { values } = read(['--targets', 'a@http://one/, b@http://two/'], { FIRSTBOOT_PROVIDERS: '' })
    assert.deepEqual(values.targets, ['a@http://one/', 'b@http://two/'])
    assert.deepEqual(values.providers, [])
  })

  it('leave the rest to the command', () =>
    assert.deepEqual(read(['a', '--force-metadata', 'b']).positionals, ['a', 'b']))

  const wrong: { name: string; args?: string[]; env?: NodeJS.ProcessEnv; want: RegExp }[] = [
    {
      name: 'a misspelt flag names its neighbour',
      args: ['--stat-dir', 'x'],
      want: /--stat-dir.*did you mean --state-dir\?/,
    },
    {
      name: 'a number that is none',
      args: ['--dhcp-lease-duration', '1h'],
      want: /--dhcp-lease-duration: "1h" is not a whole number from 120/,
    },
    { name: 'a number out of range', args: ['--dhcp-lease-duration', '5'], want: /from 120 to 1000000/ },
    { name: 'a choice that is none', args: ['--log-level', 'loud'], want: /none of debug, info/ },
    {
      name: 'the variable that is wrong is named',
      env: { FIRSTBOOT_FORCE_METADATA: 'maybe' },
      want: /FIRSTBOOT_FORCE_METADATA: "maybe"/,
    },
    {
      name: 'one choice of several that is none',
      args: ['--providers', 'StaticJSON,Dynamic'],
      want: /"Dynamic" is none of StaticJSON, DynamicJSON/,
    },
    { name: 'a flag without its value', args: ['--state-dir'], want: /^--state-dir needs a value$/ },
    {
      name: 'a value that begins with a dash',
      args: ['--dhcp-lease-duration', '-1'],
      want: /^--dhcp-lease-duration needs a value; one that begins with a dash is written --dhcp-lease-duration=-\.\.\.$/,
    },
    {
      name: 'a short flag before another',
      args: ['-s', '--force-metadata'],
      want: /^-s needs a value; .* is written -s-/,
    },
  ]
  for (const { name, args = [], env = {}, want } of wrong)
    it(`${name}`, () =>
      assert.throws(
        () => read(args, env),
        (error) => error instanceof UsageError && want.test(error.message),
      ))
})
