import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { buildDebianPackage } from './debian/build.js'

// `npm run package:deb [-- --output DIR] [--compression xz|gzip|none]`: the Debian package, beside package.json. Its
// files have the time in SOURCE_DATE_EPOCH, else that of the last commit, else that of package.json.

/** What a person asked for cannot be; the message says why. */
class Refusal extends Error {}

const project = fileURLToPath(new URL('..', import.meta.url))
const USAGE = 'npm run package:deb [-- --output DIR] [--compression xz|gzip|none]'

try {
  const { output, compression } = readOptions()
  process.stdout.write(`${buildDebianPackage(project, output, date(), compression)}\n`)
} catch (cause) {
  if (!(cause instanceof Refusal)) throw cause
  process.stderr.write(`${cause.message}\nUsage: ${USAGE}\n`)
  process.exitCode = 2
}

/** @returns {{ readonly output: string, readonly compression: 'xz' | 'gzip' | 'none' }} */
function readOptions() {
  const { output, compression } = parsed()
  if (compression !== 'xz' && compression !== 'gzip' && compression !== 'none')
    throw new Refusal(`--compression is xz, gzip or none, not ${JSON.stringify(compression)}.`)
  const found = statSync(output, { throwIfNoEntry: false })
  if (output === '' || (found !== undefined && !found.isDirectory()))
    throw new Refusal(`--output is the folder for the package, and ${JSON.stringify(output)} is none.`)
  return { output, compression }
}

function parsed() {
  const options = /** @type {const} */ ({
    output: { type: 'string', default: project },
    compression: { type: 'string', default: 'xz' },
  })
  try {
    return parseArgs({ options }).values
  } catch (cause) {
    throw new Refusal(cause instanceof Error ? cause.message : String(cause)) // it names the word that it does not know
  }
}

function date() {
  const epoch = String(process.env['SOURCE_DATE_EPOCH'] ?? lastCommit() ?? releaseTime())
  if (!/^\d{1,10}$/.test(epoch))
    throw new Refusal(`SOURCE_DATE_EPOCH is a number of seconds since 1970, not ${JSON.stringify(epoch)}.`)
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
