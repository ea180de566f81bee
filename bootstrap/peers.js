import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { debianPackages } from './debian-packages.js'
import { nodeProgram, npmPackages } from './npm-packages.js'
import { hasProgram, runTied, tail } from './programs.js'
import { SetUpProblem, setUp } from './set-up.js'

// `npm run test:peers [-- --peers DIR] [--part nova|agents|ovn] [--seed N] [--instances N] [--only N] [--record]`: our metadata
// API beside the real Nova, then our agent and API in the places of the real ones, then our OVN agent beside the real one on
// two chassis, in a sandbox, so that nothing of either is left when it ends. DIR holds the folders `nova` and `neutron`, with
// the scripts that install, start and stop the real ones (`ovn` needs none); FIRSTBOOT_PEERS names it too.

const project = fileURLToPath(new URL('..', import.meta.url))
const { values } = parseArgs({ strict: false, options: { peers: { type: 'string' }, part: { type: 'string' } } })
const given = values.peers ?? process.env['FIRSTBOOT_PEERS']
const peers = typeof given === 'string' ? resolve(given) : join(project, '../shared/peers')

/** What is run, and the folders of scripts it needs. `--part` names one of them. */
const PARTS = {
  nova: { program: 'test/peers/run.ts', scripts: ['nova'] },
  agents: { program: 'test/peers/agents.ts', scripts: ['nova', 'neutron'] },
  ovn: { program: 'test/peers/ovn/interoperation.ts', scripts: [] },
}
const parts = Object.entries(PARTS).filter(([name]) => values.part === undefined || values.part === name)
if (parts.length === 0) throw new Error(`--part is one of ${Object.keys(PARTS).join(', ')}`)
const needed = new Set(parts.flatMap(([, { scripts }]) => scripts))

await setUp([
  npmPackages(project),
  debianPackages('start'),
  ...(needed.has('nova') ? [realNova(join(peers, 'nova'))] : []),
  ...(parts.some(([name]) => name === 'ovn') ? [realOvnAgent()] : []),
  ...(needed.has('neutron') ? [realNeutron(join(peers, 'neutron'))] : []),
])
for (const [, { program }] of parts) {
  const comparison = [nodeProgram(project), program, ...process.argv.slice(2), '--peers', peers]
  const { code } = await runTied([nodeProgram(project), 'bootstrap/sandboxed.js', ...comparison])
  process.exitCode ||= code
}

/**
 * The real network service with its agents, from Debian's packages.
 * @param {string} scripts
 * @returns {import('./set-up.js').Step}
 */
function realNeutron(scripts) {
  return {
    title: 'the real Neutron',
    todo() {
      const lacking = ['install.sh', 'env.sh', 'up.sh', 'down.sh'].filter((name) => !existsSync(join(scripts, name)))
      const isThere = ['neutron-server', 'neutron-l3-agent', 'rabbitmq-server', 'mariadbd'].every(hasProgram)
      if (lacking.length === 0 && isThere) return undefined
      if (lacking.length > 0 || process.getuid?.() !== 0) {
        const obstacle =
          lacking.length > 0
            ? `${scripts} has no ${lacking.join(', ')}; --part nova does without`
            : `neutron-server is not installed. Install it as root, then run this again:\n  sudo ${join(scripts, 'install.sh')}`
        return { says: scripts, does: () => Promise.reject(new SetUpProblem(obstacle)) }
      }
      return { says: 'install.sh, some minutes, once', does: () => install(scripts) }
    },
  }
}

/**
 * The real OVN metadata agent with OVN, from Debian's packages.
 * @returns {import('./set-up.js').Step}
 */
function realOvnAgent() {
  const scripts = join(project, 'test/peers/ovn')
  return {
    title: 'the real OVN metadata agent',
    todo() {
      const programs = [
        'neutron-ovn-metadata-agent',
        'ovn-northd',
        'ovn-controller',
        'ovs-vswitchd',
        'haproxy',
        'ethtool',
      ]
      if (programs.every(hasProgram)) return undefined
      if (process.getuid?.() === 0) return { says: 'install.sh, a minute, once', does: () => install(scripts) }
      const obstacle = `neutron-ovn-metadata-agent is not installed. Install it as root, then run this again:\n  sudo ${join(scripts, 'install.sh')}`
      return { says: scripts, does: () => Promise.reject(new SetUpProblem(obstacle)) }
    },
  }
}

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
