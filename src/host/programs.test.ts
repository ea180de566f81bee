import assert from 'node:assert/strict'
import { test } from 'node:test'
import { captureProgram, runProgram, startError } from './programs.ts'

test('gives what the program wrote, and hands it its input', async () => {
  assert.deepEqual(await runProgram('cat', [], { input: 'one\n' }), { exitCode: 0, stdout: 'one\n', stderr: '' })
})

test('a failure names arguments, exit code and the last lines of what it said', async () => {
  const script = 'for i in 1 2 3 4 5 6 7; do echo line $i >&2; done; exit 3'
  await assert.rejects(runProgram('sh', ['-c', script]), {
    name: 'HostError',
    message: `\`sh -c ${script}\` exited with 3: line 3 | line 4 | line 5 | line 6 | line 7`,
  })
})

test('a program that ends without reading its input is judged by its exit code alone', async () => {
  assert.equal((await runProgram('true', [], { input: 'x'.repeat(1_000_000) })).exitCode, 0)
})

test('a program that a signal ended is an error', async () => {
  await assert.rejects(runProgram('sh', ['-c', 'kill -TERM $$']), { message: 'sh was ended by SIGTERM' })
})

test('without file descriptors a program is an error, and nothing else breaks', async () => {
  const script = `
    const { captureProgram } = await import(${JSON.stringify(new URL('programs.ts', import.meta.url).href)})
    const { openSync } = await import('node:fs')
    try { for (;;) openSync('/dev/null') } catch {}
    const failure = await captureProgram('true', []).catch((error) => error)
    await new Promise(setImmediate)
    process.exitCode = failure.name === 'HostError' && /EMFILE/.test(failure.message) ? 7 : 1`
  const limited = ['-c', 'ulimit -n 64; exec "$@"', 'sh', process.execPath, '--input-type=module', '-e', script]
  const { exitCode, stderr } = await captureProgram('sh', limited)
  assert.equal(exitCode, 7, stderr)
})

test('a missing program is an error that says what to install', async () => {
  await assert.rejects(runProgram('no-such-program', []), /no-such-program cannot be started: there is no such program/)
  const cause = Object.assign(new Error('spawn dnsmasq ENOENT'), { code: 'ENOENT' })
  assert.match(
    startError('dnsmasq', cause).message,
    /dnsmasq is not installed: install the Debian package dnsmasq-base/,
  )
})
