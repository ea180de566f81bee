import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { runTied } from './programs.js'
import { SetUpProblem } from './set-up.js'

/** Major version of Node that firstboot needs (`engines`); the npm package `node` brings it to machines that have less. */
const NODE_MAJOR = 24

/** @typedef {{ readonly packages: Readonly<Record<string, { readonly version?: string, readonly optional?: boolean }>> }} Lock */

/**
 * The npm packages as package-lock.json has them.
 * @param {string} project
 * @returns {import('./set-up.js').Step}
 */
export function npmPackages(project) {
  return {
    title: 'npm packages',
    todo: () => (isInstalled(project) ? undefined : { says: 'npm ci', does: () => install(project) }),
  }
}

/** The Node to run firstboot with. @param {string} project */
export function nodeProgram(project) {
  const brought = join(project, 'node_modules/.bin/node')
  if (existsSync(brought)) return brought
  if (Number.parseInt(process.versions.node, 10) >= NODE_MAJOR) return process.execPath
  throw new SetUpProblem(
    `firstboot needs Node ${NODE_MAJOR}; this is ${process.version}, and ${brought} is not there (did npm run without install scripts?)`,
  )
}

/**
 * Whether what npm says it has installed is what the lock asks for. Optional packages may be absent: they are for
 * other platforms.
 * @param {Lock} wanted  package-lock.json
 * @param {Lock} present  node_modules/.package-lock.json, which npm writes when an installation is complete
 */
export function matches(wanted, present) {
  return Object.entries(wanted.packages).every(([path, { version, optional }]) => {
    const found = present.packages[path]
    return path === '' || (found ? found.version === version : optional === true)
  })
}

/** @param {string} project */
function isInstalled(project) {
  const record = join(project, 'node_modules/.package-lock.json')
  return existsSync(record) && matches(readLock(join(project, 'package-lock.json')), readLock(record))
}

/** @param {string} path @returns {Lock} */
function readLock(path) {
  return JSON.parse(readFileSync(path, 'utf8'))
}

/** @param {string} project */
async function install(project) {
  const { code, output } = await runTied(['npm', 'ci', '--include=dev', '--prefix', project], { capture: true })
  const errors = output.split('\n').filter((line) => line.startsWith('npm error')) // the reason first, usage last
  if (code !== 0) throw new SetUpProblem(`npm ci failed (exit code ${code}):\n${errors.slice(0, 20).join('\n')}`)
}
