import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, globSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { exchangeRaw } from './support/raw-http.ts'
import { startService } from './support/service.ts'

const project = fileURLToPath(new URL('..', import.meta.url))
const hasDpkg = spawnSync('dpkg-deb', ['--version']).status === 0
const isRoot = process.getuid?.() === 0

/** What an operator does with the package, in a root that is thrown away. */
describe('the Debian package', {
  skip: !hasDpkg ? 'there is no dpkg' : !isRoot ? 'dpkg installs as root only' : false,
}, () => {
  const folder = mkdtempSync(join(tmpdir(), 'firstboot-package-'))
  const root = join(folder, 'root')
  const installed = (path: string) => join(root, path)
  before(() => {
    const file = run(process.execPath, join(project, 'packaging/deb.js'), folder).trim()
    for (const part of ['updates', 'info', 'triggers']) mkdirSync(join(root, 'var/lib/dpkg', part), { recursive: true })
    for (const list of ['status', 'available']) writeFileSync(join(root, 'var/lib/dpkg', list), '')
    run('dpkg', `--root=${root}`, '--force-script-chrootless', '--force-depends', '--install', file)
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  it('is installed and configured', () => {
    assert.match(
      readFileSync(installed('var/lib/dpkg/status'), 'utf8'),
      /Package: firstboot\nStatus: install ok installed/,
    )
  })

  it('brings the command, under a Node of its own', () => {
    const { version } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'))
    assert.equal(run(installed('usr/bin/firstboot'), '--version'), `firstboot ${version}\n`)
  })

  it('brings configuration of which nothing is unknown', () => {
    for (const file of globSync(installed('etc/firstboot/*.conf'))) {
      const daemon = basename(file, '.conf')
      assert.equal(run(installed('usr/bin/firstboot'), 'config', 'check', daemon, '--config-file', file), '')
    }
  })

  it('has a metadata agent that answers on its socket', async () => {
    const state = join(folder, 'state')
    const socket = join(folder, 'socket')
    const settings = ['--config-file', installed('etc/firstboot/metadata-agent.conf'), '--state-dir', state]
    const agent = startService([
      installed('usr/bin/firstboot'),
      'metadata-agent',
      ...settings,
      '--metadata-proxy-socket',
      socket,
    ])
    await agent.saying('listens on')
    assert.equal(lstatSync(socket).mode & 0o777, 0o664)
    assert.match(await exchangeRaw(socket, 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n'), /^HTTP\/1.1 400 /)
    agent.kill('SIGTERM')
    assert.equal(await agent.ended, 0)
  })

  it('has units in which systemd finds no fault', (test) => {
    if (spawnSync('systemd-analyze', ['--version']).status !== 0) return test.skip('there is no systemd-analyze')
    const units = globSync(installed('lib/systemd/system/*'))
    assert.ok(units.length >= 5)
    // Paths of the units are those of an installed machine.
    const copies = units.map((unit) => {
      const copy = join(folder, basename(unit))
      writeFileSync(copy, readFileSync(unit, 'utf8').replaceAll('/usr/lib/firstboot/', `${root}/usr/lib/firstboot/`))
      return copy
    })
    const { status, stderr } = spawnSync(
      'systemd-analyze',
      ['verify', '--man=no', '--recursive-errors=no', ...copies],
      {
        encoding: 'utf8',
        env: { ...process.env, SYSTEMD_UNIT_PATH: `${folder}:` },
      },
    )
    assert.equal(status, 0, stderr)
    assert.doesNotMatch(stderr, /firstboot[^:]*:\d+: /)
  })

  it('leaves only the configuration when it is removed', () => {
    run('dpkg', `--root=${root}`, '--force-script-chrootless', '--remove', 'firstboot')
    assert.ok(!existsSync(installed('usr/lib/firstboot')) && !existsSync(installed('usr/bin/firstboot')))
    assert.ok(existsSync(installed('etc/firstboot/metadata-agent.conf')))
  })
})

function run(program: string, ...args: readonly string[]): string {
  return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}
