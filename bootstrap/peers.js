import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { debianPackages } from './debian-packages.js'
import { nodeProgram, npmPackages } from './npm-packages.js'
import { hasProgram, runTied, tail } from './programs.js'
import { SetUpProblem, setUp } from './set-up.js'

// `npm run test:peers [-- --peers DIR] [--seed N] [--instances N] [--only N] [--record]`: our metadata API beside the real
// Nova, in a sandbox, so that nothing of either is left when it ends. DIR holds the folder `nova`, with the scripts that
// install, start and stop the real one; FIRSTBOOT_PEERS names it too.

const project = fileURLToPath(new URL('..', import.meta.url))
const { values } = parseArgs({ strict: false, options: { peers: { type: 'string' } } })
const given = values.peers ?? process.env['FIRSTBOOT_PEERS']
const peers = typeof given === 'string' ? resolve(given) : join(project, '../shared/peers')

await setUp([npmPackages(project), debianPackages('start'), realNova(join(peers, 'nova'))])
const comparison = [nodeProgram(project), 'test/peers/run.ts', ...process.argv.slice(2), '--peers', peers]
const { code } = await runTied([nodeProgram(project), 'bootstrap/sandboxed.js', ...comparison])
process.exitCode = code

/**
 * The real metadata API, from Debian's packages.
 * @param {string} scripts
 * @returns {import('./set-up.js').Step}
 */
function realNova(scripts) {
  return {
    title: 'the real Nova',
    todo() {
      const obstacle = obstacleTo(scripts)
      if (obstacle) return { says: scripts, does: () => Promise.reject(new SetUpProblem(obstacle)) }
      return isInstalled() ? undefined : { says: 'install.sh, some minutes, once', does: () => install(scripts) }
    },
  }
}

/** @param {string} scripts  @returns {string | undefined}  what the person has to do first */
function obstacleTo(scripts) {
  const lacking = ['install.sh', 'up.sh', 'down.sh', 'seed.py', 'fakeneutron.py'].filter(
    (name) => !existsSync(join(scripts, name)),
  )
  if (lacking.length > 0) {
    return `${scripts} has no ${lacking.join(', ')}.\nThe real Nova is compared with by scripts that are not part of this project; say where they are:\n  npm run test:peers -- --peers DIR    (DIR holds the folder nova), or FIRSTBOOT_PEERS=DIR`
  }
  if (isInstalled() || process.getuid?.() === 0) return undefined
  return `nova-api is not installed. Install it as root, then run this again:\n  sudo ${join(scripts, 'install.sh')}`
}

/** Its API server, and the modules of its database. */
function isInstalled() {
  return hasProgram('nova-api') && existsSync('/usr/lib/python3/dist-packages/nova')
}

/** @param {string} scripts */
async function install(scripts) {
  const { code, output } = await runTied(['bash', join(scripts, 'install.sh')], { capture: true })
  if (code !== 0) throw new SetUpProblem(`install.sh failed (exit code ${code}):\n${tail(output)}`)
}
