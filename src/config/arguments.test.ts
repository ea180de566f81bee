import assert from 'node:assert/strict'
import { it } from 'node:test'
import { argumentsFor } from './arguments.ts'
import { list, text, texts, truth } from './option.ts'
import { readOptions } from './read.ts'

const options = {
  name: text('NAME', 'nobody', ''),
  names: list('NAME,...', [], ''),
  files: texts('FILE', [], ''),
  on: truth(false, ''),
  off: truth(true, ''),
  token: text('TOKEN', '', '', { secret: true }),
}

it('another process reads the same values, and no secret shows in its command line', () => {
  const given = ['--name=--odd', '--names=a,b', '--files=x', '--files=y', '--on', '--no-off']
  const { values } = readOptions(options, given, { FIRSTBOOT_TOKEN: 'hush' })
  const { args, env } = argumentsFor(options, values)
  assert.deepEqual(readOptions(options, args, env).values, values)
  assert.ok(!args.join(' ').includes('hush'))
})
