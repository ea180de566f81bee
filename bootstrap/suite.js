import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { matchesGlob } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'

// Everything `npm test` checks: types and style, then each test file in a process of its own. Arguments select test
// files by a part of their path or a glob; types and style are then left alone. Needs Node 24.

/** What no test file comes near; it ends one that hangs. */
const FILE_TIMEOUT_MILLISECONDS = 600_000

const patterns = process.argv.slice(2)
const checks =
  patterns.length > 0
    ? []
    : [
        ['tsc', '--noEmit'],
        ['biome', 'check'],
      ]
const failedChecks = checks.filter(([program = '', ...options]) => {
  process.stdout.write(`${program} ${options.join(' ')}\n`)
  return spawnSync(`node_modules/.bin/${program}`, options, { stdio: 'inherit' }).status !== 0
})

const files = globSync(['src/**/*.test.ts', 'test/**/*.test.ts'])
  .filter((file) => patterns.length === 0 || patterns.some((it) => file.includes(it) || matchesGlob(file, it)))
  .sort()
if (files.length === 0) {
  process.stderr.write(`No test file matches ${patterns.join(' ')}.\n`)
  process.exit(1)
}

/** @type {string[]} */
const skipped = []
let hasFailure = false
const NODE_OPTIONS = `${process.env['NODE_OPTIONS'] ?? ''} --disable-warning=ExperimentalWarning`
process.env['NODE_OPTIONS'] = NODE_OPTIONS
const events = run({ files, concurrency: Math.max(2, availableParallelism()), timeout: FILE_TIMEOUT_MILLISECONDS })
  .on('test:fail', () => {
    hasFailure = true
  })
  .on('test:pass', ({ name, file, skip }) => {
    if (skip !== undefined && skip !== false)
      skipped.push(`${file ?? ''}: ${name}: ${skip === true ? 'no reason given' : skip}`)
  })
await pipeline(events, new spec(), process.stdout, { end: false })

for (const [program = ''] of failedChecks) process.stderr.write(`${program} found fault; see the top.\n`)
const areSkipsFaults = process.env['CI'] === 'true' && skipped.length > 0
if (areSkipsFaults) process.stderr.write(`Skipped, and with CI=true that is a failure:\n  ${skipped.join('\n  ')}\n`)
process.exitCode = hasFailure || failedChecks.length > 0 || areSkipsFaults ? 1 : 0
