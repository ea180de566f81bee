import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { buildDebianPackage } from './debian/build.js'

// `npm run package:deb [-- --output DIR] [--compression xz|gzip|none]`: the Debian package, beside package.json. Its
// files have the time in SOURCE_DATE_EPOCH, else that of the last commit, else that of package.json.

const project = fileURLToPath(new URL('..', import.meta.url))
const { values } = parseArgs({
  options: { output: { type: 'string', default: project }, compression: { type: 'string', default: 'xz' } },
})
const { output, compression } = values
if (compression !== 'xz' && compression !== 'gzip' && compression !== 'none')
  throw new Error(`--compression is xz, gzip or none, not ${compression}`)
process.stdout.write(`${buildDebianPackage(project, output, date(), compression)}\n`)

function date() {
  const epoch = process.env['SOURCE_DATE_EPOCH'] ?? lastCommit() ?? releaseTime()
  return new Date(Number(epoch) * 1000)
}

/** @returns {string | undefined}  undefined outside of a git clone */
function lastCommit() {
  const { status, stdout } = spawnSync('git', ['-C', project, 'log', '-1', '--format=%ct'], { encoding: 'utf8' })
  return status === 0 ? stdout.trim() : undefined
}

/** As a release was unpacked. */
function releaseTime() {
  return Math.floor(statSync(new URL('../package.json', import.meta.url)).mtimeMs / 1000)
}
