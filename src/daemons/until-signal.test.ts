import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'

/** Signals itself so, `|` being a moment in which nothing comes. @returns what it said, and its exit code */
function signalled(sequence: readonly string[]) {
  const script = `
    import { setTimeout as pause } from 'node:timers/promises'
    import { untilSignal } from ${JSON.stringify(new URL('until-signal.ts', import.meta.url).href)}
    void untilSignal().then((signal) => console.log('ends by ' + signal))
    for (const each of ${JSON.stringify(sequence)})
      if (each === '|') await pause(700)
      else process.emit(each, each)
    await pause(0)
    process.exit(0)`
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    env: { ...process.env, NODE_NO_WARNINGS: '1' },
  })
  return [stdout + stderr, status]
}

const STILL = 'Still ending. Once more to leave everything as it is now.\n'

for (const [name, sequence, said, code] of [
  ['one ends', ['SIGINT'], 'ends by SIGINT\n', 0],
  ['two at once, as a signalled process group gets them, are one', ['SIGINT', 'SIGINT'], 'ends by SIGINT\n', 0],
  ['a later one is answered', ['SIGTERM', '|', 'SIGTERM'], `ends by SIGTERM\n${STILL}`, 0],
  ['the third leaves at once', ['SIGINT', '|', 'SIGINT', '|', 'SIGINT'], `ends by SIGINT\n${STILL}`, 1],
] as const) {
  test(name, () => assert.deepEqual(signalled(sequence), [said, code]))
}
