import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { after, describe, it } from 'node:test'
import { firstboot } from './support/daemon.ts'

/** Under a Node that is too old `bin/firstboot.js` starts the one it brings. This one says that it is old. */
const OLD = `data:text/javascript,Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.0.0' } })`

const folder = mkdtempSync(join(tmpdir(), 'firstboot-older-node-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const inventory = join(folder, 'inventory.yaml')
writeFileSync(inventory, 'servers: [{name: web-1, networks: []}]\n')

/** `firstboot serve` with a process above it, both in a process group of their own and away from any terminal. */
async function served() {
  const [program, ...words] = firstboot('serve', '-f', inventory, '--listen', '127.0.0.1:0')
  const above = spawn(program, ['--import', OLD, ...words], { detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  // Both ends of the pipes are closed when the one below has ended, too.
  const said: string[] = []
  const lines = createInterface({ input: above.stderr }).on('line', (line) => said.push(line))
  const out = text(above.stdout)
  const closed = once(above, 'close')
  while (!said.some((line) => line.includes('listens'))) await once(lines, 'line')
  const end = async () => {
    const [code, signal] = await closed
    return { how: code ?? signal, out: await out, said: said.join('\n') }
  }
  return { pid: above.pid ?? 0, end }
}

describe('below a process that an older Node runs', () => {
  it('kill -9 of the one above kills, and nothing is taken down in good order', async () => {
    const { pid, end } = await served()
    process.kill(pid, 'SIGKILL')
    const { how, out } = await end()
    assert.deepEqual([how, out], ['SIGKILL', ''], 'no verdict, which is how serve ends when it is asked to')
  })

  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    it(`${signal} to both is one`, async () => {
      const { pid, end } = await served()
      process.kill(-pid, signal)
      const { out, said } = await end()
      assert.match(out, /nobody|asked/i)
      assert.doesNotMatch(said, /Still ending/)
    })

  it('a signal to the one above alone is passed on', async () => {
    const { pid, end } = await served()
    process.kill(pid, 'SIGINT')
    assert.match((await end()).out, /nobody|asked/i)
  })
})
