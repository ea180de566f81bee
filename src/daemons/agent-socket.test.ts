import assert from 'node:assert/strict'
import { lstatSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { eventually } from '../../test/support/eventually.ts'
import { exchangeRaw } from '../../test/support/raw-http.ts'
import { agentSocketIsThere, serveAgentSocket } from './agent-socket.ts'

const ASK = 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n'

/** An agent that says its name, with what it logs. */
async function open(path: string, name: string, isPredecessor?: (pid: number) => boolean) {
  const said: string[] = []
  const log = {
    warn: (...words: readonly unknown[]) => said.push(words.map(String).join()),
    error: (...words: readonly unknown[]) => said.push(words.map(String).join()),
  }
  const socket = await serveAgentSocket(
    { path, log: log as never, ...(isPredecessor && { isPredecessor }) },
    async () => ({ status: 200, headers: [], body: Buffer.from(name) }),
    { onError: () => ({ status: 500, headers: [], body: new Uint8Array() }) },
  )
  return { ...socket, said }
}

function somewhere(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'firstboot-agent-socket-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return join(directory, 'run/metadata_proxy')
}

const answers = async (path: string, name: string) =>
  (await exchangeRaw(path, ASK).catch(() => '')).endsWith(`\r\n\r\n${name}`)

const WAYS: readonly { readonly name: string; readonly lose: (path: string) => void }[] = [
  { name: 'its file is deleted', lose: (path) => rmSync(path) },
  { name: 'its whole directory is', lose: (path) => rmSync(dirname(path), { recursive: true }) },
]

for (const { name, lose } of WAYS)
  test(`the agent is reached again when ${name}, says so, and is not ready meanwhile`, async (t) => {
    const path = somewhere(t)
    const agent = await open(path, 'one')
    const beside = agentSocketIsThere(path)
    t.after(() => agent.close(0))
    assert.ok(await answers(path, 'one'))
    assert.deepEqual([agent.whyNot(), beside.whyNot()], [undefined, undefined])
    lose(path)
    assert.match(agent.whyNot() ?? '', /metadata_proxy is not there; it is opened anew in a moment/)
    assert.match(beside.whyNot() ?? '', /metadata_proxy is not there/)
    await eventually('it answers', () => answers(path, 'one'))
    assert.equal(lstatSync(path).mode & 0o777, 0o600)
    assert.deepEqual([agent.whyNot(), beside.whyNot()], [undefined, undefined])
    assert.match(agent.said.join(), /deleted or replaced; the socket is opened anew/)
  })

test('a second agent refuses, says whom it has found, and takes nothing away', async (t) => {
  const path = somewhere(t)
  const agent = await open(path, 'one')
  t.after(() => agent.close(0))
  await assert.rejects(
    open(path, 'two'),
    new RegExp(`another metadata agent listens there \\(process ${process.pid} \\(`),
  )
  assert.ok(await answers(path, 'one'))
})

test('a stranger who listens in its place is left there and told, until he goes', async (t) => {
  const path = somewhere(t)
  const agent = await open(path, 'one')
  t.after(() => agent.close(0))
  rmSync(path)
  const stranger = createServer((connection) => connection.destroy())
  await new Promise<void>((done) => stranger.listen(path, done))
  await eventually('it is told', () => /another metadata agent listens there/.test(agent.whyNot() ?? ''))
  assert.match(agent.said.join(), /cannot be reached any more.*another metadata agent listens there/)
  assert.ok(!(await answers(path, 'one')))
  await new Promise((done) => stranger.close(done)) // takes its file along
  await eventually('it answers', () => answers(path, 'one'))
  assert.equal(agent.whyNot(), undefined)
})

test('a predecessor of ours gives way, and takes nothing of its successor along', async (t) => {
  const path = somewhere(t)
  const isPredecessor = (pid: number) => pid === process.pid
  const first = await open(path, 'one', isPredecessor)
  const second = await open(path, 'two', isPredecessor)
  t.after(() => second.close(0))
  assert.ok(await answers(path, 'two'))
  await first.close(0)
  assert.ok(await answers(path, 'two'))
  assert.deepEqual(first.said, [])
})

test('a file in its place is not lost', async (t) => {
  const path = somewhere(t)
  const agent = await open(path, 'one')
  rmSync(path)
  writeFileSync(path, 'precious')
  await eventually('it is told', () => /is there and is no socket/.test(agent.whyNot() ?? ''))
  await agent.close(0)
  assert.equal(lstatSync(path).size, 8)
})

test('a directory that cannot be made is told with what to do', async (t) => {
  const path = somewhere(t)
  mkdirSync(dirname(path))
  writeFileSync(join(dirname(path), 'file'), '')
  await assert.rejects(
    open(join(dirname(path), 'file/metadata_proxy'), 'one'),
    /the directory \S+\/file of the metadata agent's socket cannot be made: a file is in its place\. Make it, or name another --metadata-proxy-socket/,
  )
})
