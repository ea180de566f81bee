import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { it } from 'node:test'

/** What a process of its own writes to standard error when it runs this with a log. */
function logged(script: string): string {
  const source = `import { openLog, toggleDebug } from '${new URL('./log.ts', import.meta.url)}'
    const log = openLog('info', 'test'); ${script}`
  const { stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', source], { encoding: 'utf8' })
  return stderr
}

it('a log blots out what should not have been handed to it', () => {
  const lines = logged(`
    log.info({ password: 'hunter2', headers: { 'x-auth-token': 'hunter2', host: 'h' } }, 'x')
    log.info({ request: { headers: { 'x-instance-id-signature': 'hunter2' } }, values: { secret: 'hunter2' } }, 'y')`)
  assert.doesNotMatch(lines, /hunter2/)
  assert.equal(lines.match(/\*\*\*/g)?.length, 4)
  assert.match(lines, /"host":"h"/)
})

it('its level can be changed while it is used', () => {
  const lines = logged(`
    log.debug('one'); toggleDebug(log, () => 'error'); log.debug('two')
    toggleDebug(log, () => 'error'); log.warn('three')`)
  assert.deepEqual(lines.match(/one|two|three|is \w+ now/g), ['is debug now', 'two'])
})
