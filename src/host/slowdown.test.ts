import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { describe, it } from 'node:test'
import { slowdownOf } from './slowdown.ts'

const SPIN = 'for (const end = Date.now() + Number(process.argv[1]); Date.now() < end; );'
const LOOK = `${SPIN} import('${import.meta.dirname}/slowdown.ts').then((it) => console.log(it.slowdown()))`

describe('how slow the machine is', () => {
  const rows: [times: [number, number], expected: number][] = [
    [[0, 0], 1],
    [[400_000_000, 0], 1],
    [[400_000_000, 400_000_000], 2],
    [[400_000_000, 90_000_000_000], 2.5],
  ]
  for (const [[ran, waited], expected] of rows)
    it(`is ${expected} for who ran ${ran} ns and waited ${waited} ns`, () =>
      assert.equal(slowdownOf([ran, waited]), expected))

  it('is seen by a process that has to share its processor', async () => {
    const others = Array.from({ length: 3 * availableParallelism() }, () =>
      spawn(process.execPath, ['-e', SPIN, '20000']),
    )
    try {
      const looking = spawn(process.execPath, ['-e', LOOK, '1000'], { stdio: ['ignore', 'pipe', 'inherit'] })
      let said = ''
      for await (const chunk of looking.stdout) said += chunk
      assert.ok(Number(said) > 1.5, said)
    } finally {
      for (const other of others) other.kill('SIGKILL')
    }
  })
})
