import assert from 'node:assert/strict'
import { it } from 'node:test'
import { hear } from './packet-socket.ts'

it('what came in time is heard by a process that was not let run until the time was over', async () => {
  const frames: Buffer[] = []
  const hearing = hear({ take: () => frames.splice(0) }, 20, (frame) => frame.toString())
  for (const end = performance.now() + 60; performance.now() < end; ); // another has the processor
  frames.push(Buffer.from('an answer'))
  assert.deepEqual(await hearing, ['an answer'])
})
