import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { captureProgram, lastLines } from '../../src/host/programs.ts'
import { printCombinations, withSection } from './compatibility-page.ts'
import type { Combination } from './neutron/combinations.ts'

// The second half of `npm run test:peers`, inside the sandbox: the real Neutron with its agents, our port directory asked
// about what is in it, and each agent with each metadata API. Exit code 1 when anything differs.

const PAGE = fileURLToPath(new URL('../../docs/compatibility.md', import.meta.url))
/** neutron-server's, as the scripts have it. */
const URL_OF_NEUTRON = 'http://127.0.0.1:19696'

const { values } = parseArgs({
  strict: false,
  options: { peers: { type: 'string' }, record: { type: 'boolean', default: false } },
})
const scripts = String(values.peers)
const directory = mkdtempSync(join(tmpdir(), 'fbn-')) // short: the path of a unix socket has 107 characters
const result = join(directory, 'result.json')

const started = await script('up.sh')
if (started !== 0) process.exit(1)
try {
  const here = fileURLToPath(new URL('.', import.meta.url))
  const asked = await inPeer(['--test', '--test-reporter=spec', join(here, 'neutron/port-directory.ts')])
  const tried = await inPeer([
    join(here, 'neutron/inside.ts'),
    join(scripts, 'nova'),
    directory,
    URL_OF_NEUTRON,
    result,
  ])
  if (values.record && existsSync(result)) {
    const combinations = JSON.parse(readFileSync(result, 'utf8')) as readonly Combination[]
    const section = printCombinations(combinations, asked === 0, new Date().toISOString().slice(0, 10))
    writeFileSync(PAGE, withSection(readFileSync(PAGE, 'utf8'), 'combinations', section))
  }
  process.exitCode = asked === 0 && tried === 0 ? 0 : 1
} finally {
  await script('down.sh')
  rmSync(directory, { recursive: true, force: true })
}

/** One of the peer's scripts. @returns its exit code */
async function script(name: string): Promise<number> {
  process.stdout.write(`${name} of the real Neutron, some minutes at most\n`)
  const settings = [`NT_DIR=${directory}`, 'NT_SECRET=peer-secret']
  const { exitCode, stdout, stderr } = await captureProgram('timeout', [
    ...['--kill-after=10', '400', 'env', ...settings, 'bash', join(scripts, 'neutron', name)],
  ])
  if (exitCode !== 0) process.stdout.write(`failed (${exitCode}): ${lastLines(`${stdout}\n${stderr}`, 10)}\n`)
  return exitCode
}

/** Our Node with these arguments, in the network and mount namespace of the peer. @returns its exit code */
async function inPeer(args: readonly string[]): Promise<number> {
  const holder = readFileSync(join(directory, 'holder.pid'), 'utf8').trim()
  const enter = ['--target', holder, '--net', '--mount', `--wd=${process.cwd()}`, '--', process.execPath, ...args]
  const env = { ...process.env, FIRSTBOOT_PEER_NEUTRON: URL_OF_NEUTRON }
  const [code] = await once(spawn('nsenter', enter, { stdio: 'inherit', env }), 'exit')
  return Number(code ?? 1)
}
