import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { mayBeAnyone } from './privilege.js'
import { runTied, tail } from './programs.js'
import { SetUpProblem } from './set-up.js'

/** The root file system of the light instances: what to put into it. */
const RECIPE = fileURLToPath(new URL('../test/support/guest-root/', import.meta.url))

/** @typedef {{ readonly suite: string, readonly packages: readonly string[], readonly leftOut: readonly string[] }} Recipe */

/** Where the root lies once built. A changed recipe is another root. */
export function guestRootPath() {
  const cache = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache')
  return join(cache, 'firstboot', `guest-root-${digest(RECIPE)}`)
}

/** Why no light instance can be booted here, if so. */
export function guestRootProblem() {
  if (!mayBeAnyone()) return 'the files of the guest root belong to many users, whom only root can stand in for'
  return existsSync(guestRootPath()) ? undefined : 'the guest root has not been built; npm test does it'
}

/** @returns {import('./set-up.js').Step} */
export function guestRoot() {
  return {
    title: 'guest root',
    todo() {
      if (existsSync(guestRootPath()) || !mayBeAnyone()) return undefined // the tests that need it say why they skip
      return { says: 'mmdebstrap, half a minute or more, once', does: () => build(guestRootPath()) }
    },
  }
}

/**
 * Built beside its place and then renamed, so that what stands there is whole. A namespace holds the mounts that
 * mmdebstrap makes, whatever ends it.
 * @param {string} path
 */
async function build(path) {
  const unfinished = `${path}.tmp-${process.pid}`
  mkdirSync(dirname(path), { recursive: true })
  for (const left of abandoned(dirname(path))) rmSync(left, { recursive: true, force: true })
  /** @type {Recipe} */
  const recipe = JSON.parse(readFileSync(join(RECIPE, 'recipe.json'), 'utf8'))
  const { code, output } = await runTied([...IN_NAMESPACE, 'mmdebstrap', ...(await aptArguments(recipe, unfinished))], {
    capture: true,
  })
  if (code === 0) {
    cpSync(join(RECIPE, 'files'), unfinished, { recursive: true })
    if (!existsSync(path)) renameSync(unfinished, path) // else somebody was faster
  }
  rmSync(unfinished, { recursive: true, force: true })
  if (code !== 0) throw new SetUpProblem(`mmdebstrap failed (exit code ${code}):\n${tail(output)}`)
}

/** @type {[string, ...string[]]} */
const IN_NAMESPACE = ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc', '--']

/** Roots whose builder was killed. @param {string} cache */
function abandoned(cache) {
  return readdirSync(cache)
    .filter((name) => !existsSync(`/proc/${/\.tmp-(\d+)$/.exec(name)?.[1] ?? 'self'}`))
    .map((name) => join(cache, name))
}

/** @param {Recipe} recipe @param {string} target @returns {Promise<string[]>} */
async function aptArguments({ suite, packages, leftOut }, target) {
  return [
    '--mode=root',
    '--variant=essential',
    '--aptopt=Acquire::Languages "none"',
    '--aptopt=APT::Install-Recommends "false"',
    ...(await proxies()).map((line) => `--aptopt=${line}`),
    '--dpkgopt=force-unsafe-io',
    ...leftOut.map((pattern) => `--dpkgopt=path-exclude=${pattern}`),
    `--include=${packages.join(',')}`,
    suite,
    target,
    ...(await mirrors()),
  ]
}

/** The Debian archive this machine's apt uses; none (mmdebstrap then knows one itself) when it uses none. */
async function mirrors() {
  const format = '$(ORIGIN) $(LABEL) $(REPO_URI)'
  const { output } = await runTied(['apt-get', 'indextargets', '--format', format], { capture: true })
  return mirrorsIn(output)
}

/**
 * The first archive of Debian proper; security and third parties have their own.
 * @param {string} targets  lines of origin, label and address
 */
export function mirrorsIn(targets) {
  return targets
    .split('\n')
    .flatMap((line) => /^Debian Debian (\S+)$/.exec(line)?.[1] ?? [])
    .slice(0, 1)
}

/** This machine's proxies, which mmdebstrap does not look for. */
async function proxies() {
  const names = ['Acquire::http::Proxy', 'Acquire::https::Proxy']
  const { output } = await runTied(['apt-config', 'dump', '--no-empty', ...names], { capture: true })
  return output.split('\n').filter((line) => line !== '')
}

/** Of names, modes and contents. @param {string} folder */
function digest(folder) {
  const hash = createHash('sha256')
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    const { mode } = statSync(join(folder, name))
    const isFile = statSync(join(folder, name)).isFile()
    hash.update(`${name} ${mode & 0o111 ? 'x' : '-'}\n`).update(isFile ? readFileSync(join(folder, name)) : '')
  }
  return hash.digest('hex').slice(0, 12)
}
