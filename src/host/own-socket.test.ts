import assert from 'node:assert/strict'
import { closeSync, existsSync, lstatSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { openOwnSocket } from './own-socket.ts'
import { runProgram } from './programs.ts'

const directory = mkdtempSync(join(tmpdir(), 'firstboot-socket-'))
after(() => rmSync(directory, { recursive: true, force: true }))

describe('the socket between proxies and agent', () => {
  for (const mode of [0o600, 0o644, 0o660, 0o664, 0o666])
    it(`has mode ${mode.toString(8)}, whatever the umask, and again after every bind`, async () => {
      const path = join(directory, mode.toString(8))
      for (const umask of [0o000, 0o077, 0o177]) {
        const before = process.umask(umask)
        try {
          const { fd, remove } = await openOwnSocket(path, mode, 8)
          assert.equal(lstatSync(path).mode & 0o777, mode)
          closeSync(fd)
          remove()
        } finally {
          process.umask(before)
        }
      }
    })

  it('has its directory made, and lets as many wait as it was told', async () => {
    const path = join(directory, 'a/b/socket')
    const { fd } = await openOwnSocket(path, 0o600, 77)
    const { stdout } = await runProgram('ss', ['--unix', '--listening', '--no-header', 'src', path])
    assert.match(stdout, /LISTEN\s+0\s+77\s/)
    closeSync(fd)
  })

  it('takes the place of one that a killed predecessor left', async () => {
    const path = join(directory, 'left')
    closeSync((await openOwnSocket(path, 0o600, 8)).fd)
    assert.ok(existsSync(path))
    const { fd, remove } = await openOwnSocket(path, 0o600, 8)
    closeSync(fd)
    remove()
    assert.ok(!existsSync(path))
  })

  it('is not taken from somebody who lives, who is named', async () => {
    const path = join(directory, 'taken')
    const server = createServer()
    const { promise, resolve } = Promise.withResolvers<void>()
    server.listen(path, resolve)
    await promise
    await assert.rejects(openOwnSocket(path, 0o600, 8), new RegExp(`listens there \\(process ${process.pid} \\(`))
    assert.ok(existsSync(path))
    server.close()
  })

  it('never replaces a file', async () => {
    const path = join(directory, 'file')
    writeFileSync(path, 'precious')
    await assert.rejects(openOwnSocket(path, 0o600, 8), /is there and is no socket/)
    assert.equal(lstatSync(path).size, 8)
  })

  it('leaves alone what has taken its place', async () => {
    const path = join(directory, 'replaced')
    const first = await openOwnSocket(path, 0o600, 8)
    rmSync(path)
    const second = await openOwnSocket(path, 0o600, 8)
    first.remove()
    assert.ok(existsSync(path))
    second.remove()
    closeSync(first.fd)
    closeSync(second.fd)
  })

  it('has a path that fits', async () =>
    assert.rejects(openOwnSocket(join(directory, 'x'.repeat(120)), 0o600, 8), /too long for a socket/))
})
