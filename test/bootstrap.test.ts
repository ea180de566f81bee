import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { PROGRAMS, whyNotInstall } from '../bootstrap/debian-packages.js'
import { mirrorsIn } from '../bootstrap/guest-root.js'
import { matches } from '../bootstrap/npm-packages.js'
import { eventually } from './support/eventually.ts'

const bootstrap = fileURLToPath(new URL('../bootstrap/', import.meta.url))

describe('the npm packages', () => {
  const wanted = {
    packages: {
      '': {},
      'node_modules/yaml': { version: '2.9.1' },
      'node_modules/koffi-arm64': { version: '3.3.4', optional: true },
    },
  }
  const cases: { name: string; present: Record<string, { version: string }>; want: boolean }[] = [
    { name: 'nothing is there', present: {}, want: false },
    { name: 'everything is there', present: { 'node_modules/yaml': { version: '2.9.1' } }, want: true },
    { name: 'a version is another', present: { 'node_modules/yaml': { version: '2.9.0' } }, want: false },
    {
      name: 'a package of our platform is of another version',
      present: { 'node_modules/yaml': { version: '2.9.1' }, 'node_modules/koffi-arm64': { version: '3.3.3' } },
      want: false,
    },
  ]
  for (const { name, present, want } of cases)
    it(`${want ? 'are left alone' : 'are installed'} when ${name}`, () =>
      assert.equal(matches(wanted, { packages: present }), want))
})

describe('programs that are missing', () => {
  const missing = PROGRAMS.filter((row) => row.program === 'dnsmasq')
  const say = (hasApt: boolean, isRoot: boolean) => whyNotInstall(missing, ['dnsmasq-base'], { hasApt, isRoot })

  it('are installed by root', () => assert.equal(say(true, true), undefined))

  it('come with the line to run for others', () =>
    assert.match(say(true, false) ?? '', /\n {2}sudo apt-get update && sudo apt-get install .* dnsmasq-base$/))

  it('are named where there is no apt', () => assert.match(say(false, true) ?? '', /\n {2}dnsmasq: answers DHCP$/))
})

describe('the archive for the guest root', () => {
  const cases = [
    {
      name: 'is the one apt uses',
      given: 'Debian Debian http://mirror.test/debian/\n',
      want: ['http://mirror.test/debian/'],
    },
    { name: 'is not the one of security fixes', given: 'Debian Debian-Security http://mirror.test/sec/\n', want: [] },
    { name: 'is not that of another distribution', given: 'Ubuntu Ubuntu http://mirror.test/ubuntu/\n', want: [] },
    {
      name: 'is one of several',
      given: 'Debian Debian http://a.test/\nDebian Debian http://b.test/\n',
      want: ['http://a.test/'],
    },
  ]
  for (const { name, given, want } of cases) it(name, () => assert.deepEqual(mirrorsIn(given), want))
})

describe('a program that the set-up runs', () => {
  const script = `import { runTied } from ${JSON.stringify(join(bootstrap, 'programs.js'))}
    const program = 'console.log("up"); setInterval(() => {}, 1000)'
    process.exitCode = (await runTied([process.execPath, '--eval', program, '--', ...process.argv.slice(1)])).code`
  const node = [process.execPath, '--input-type=module', '--eval', script, '--']

  it('ends when we are told to', async () => {
    const marker = randomUUID()
    const us = spawn(node[0] ?? '', [...node.slice(1), marker], { stdio: ['ignore', 'pipe', 'inherit'] })
    await firstOutput(us)
    us.kill('SIGTERM')
    assert.deepEqual(await once(us, 'exit'), [143, null])
    assert.equal(runningWith(marker), 0)
  })

  it('ends when we are killed', async () => {
    const marker = randomUUID()
    const us = spawn(node[0] ?? '', [...node.slice(1), marker], { stdio: ['ignore', 'pipe', 'inherit'] })
    await firstOutput(us)
    us.kill('SIGKILL')
    await eventually('the program is gone', () => runningWith(marker) === 0)
  })

  it('ends when npm is killed', async () => {
    const marker = randomUUID()
    const named = 'echo npm test >/proc/$$/comm; "$@"; true'
    const npm = spawn('sh', ['-c', named, 'npm', 'sh', '-c', '"$@"; true', 'sh', ...node, marker], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await firstOutput(npm)
    npm.kill('SIGKILL')
    await eventually('the program and we are gone', () => runningWith(marker) === 0)
  })
})

describe('npm test', () => {
  const project = mkdtempSync(join(tmpdir(), 'firstboot-suite-'))
  after(() => rmSync(project, { recursive: true }))
  mkdirSync(join(project, 'test'))
  const files = {
    good: "it('works', () => {})",
    bad: "it('fails', () => assert.fail())",
    skips: "it('waits', { skip: 'no moon tonight' }, () => {})",
    skipsAll: "describe('the moon', { skip: 'no moon tonight' }, () => it('waits', () => {}))",
    broken: 'not a program',
  }
  for (const [name, body] of Object.entries(files)) {
    const imports = "import assert from 'node:assert/strict'\nimport { describe, it } from 'node:test'\n"
    writeFileSync(join(project, 'test', `${name}.test.ts`), `${imports}void [assert, describe]\n${body}\n`)
  }

  const cases: { name: string; asked: string; ci: boolean; want: number; says: RegExp }[] = [
    { name: 'passes with its tests', asked: 'good', ci: true, want: 0, says: /^ℹ tests 1$/m },
    { name: 'fails with a test', asked: 'bad', ci: false, want: 1, says: /^ℹ fail 1$/m },
    { name: 'fails with a file that cannot be read', asked: 'broken', ci: false, want: 1, says: /^ℹ fail 1$/m },
    { name: 'lets a skip pass, with its reason', asked: 'skips.', ci: false, want: 0, says: /no moon tonight/ },
    {
      name: 'fails with a skip in CI',
      asked: 'skips.',
      ci: true,
      want: 1,
      says: /CI=true.*\n.*waits: no moon tonight/,
    },
    {
      name: 'fails with a skipped suite in CI',
      asked: 'skipsAll',
      ci: true,
      want: 1,
      says: /the moon: no moon tonight/,
    },
    {
      name: 'fails when no file is meant',
      asked: 'elsewhere',
      ci: false,
      want: 1,
      says: /No test file matches elsewhere/,
    },
  ]
  for (const { name, asked, ci, want, says } of cases)
    it(name, async () => {
      const { NODE_TEST_CONTEXT: _, ...env } = process.env // set, it forbids a runner within a runner
      const suite = spawn(process.execPath, [join(bootstrap, 'suite.js'), asked], {
        cwd: project,
        env: { ...env, CI: String(ci) },
      })
      const [[code], out, err] = await Promise.all([once(suite, 'exit'), text(suite.stdout), text(suite.stderr)])
      assert.match(out + err, says)
      assert.equal(code, want)
    })
})

async function firstOutput(child: ChildProcess): Promise<void> {
  if (child.stdout) await once(child.stdout, 'data')
}

function runningWith(marker: string): number {
  return globSync('[0-9]*', { cwd: '/proc' }).filter((pid) => commandLine(pid).includes(marker)).length
}

/** Empty when the process has ended meanwhile. */
function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}
