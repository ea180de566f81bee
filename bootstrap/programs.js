import { spawn } from 'node:child_process'
import { accessSync, constants as file } from 'node:fs'
import { constants as os } from 'node:os'
import { delimiter, join } from 'node:path'
import { isIntact, lineageUpTo } from './lineage.js'

/** Where programs are looked for: plain users of Debian lack the last two. */
export const SEARCH_PATH = `${process.env['PATH'] ?? '/usr/bin:/bin'}:/usr/sbin:/sbin`

/** @param {string} name */
export function hasProgram(name) {
  return SEARCH_PATH.split(delimiter).some((directory) => isExecutable(join(directory, name)))
}

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, file.X_OK)
    return true
  } catch {
    return false
  }
}

/** How long a program told to end may take before it is killed. Above the grace period of a sandbox. */
const PATIENCE_MILLISECONDS = 15_000

/** How soon the death of npm is noticed. Nothing tells a process that an ancestor is gone: another is in its place. */
const ORPHAN_CHECK_MILLISECONDS = 200

/** Taken before anything else happens, so that a death during set-up is noticed too. */
const lineage = lineageUpTo('npm')

/**
 * Runs a program for as long as we and npm live: SIGTERM to us, npm's death (by SIGKILL too) and our own death by any
 * cause each send it SIGTERM.
 *
 * @param {readonly [string, ...string[]]} command
 * @param {{ readonly capture?: boolean, readonly env?: Readonly<Record<string, string>> }} [options]
 *   capture: its output is returned instead of shown; env: added to our own environment
 * @returns {Promise<{ code: number, output: string }>}  128 and the signal's number when a signal ended it
 */
export function runTied(command, { capture = false, env = {} } = {}) {
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', '--', ...command], {
    env: { ...process.env, PATH: SEARCH_PATH, ...env },
    stdio: capture ? ['ignore', 'pipe', 'pipe'] : 'inherit',
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text) => {
      output += text
    })

  const end = () => {
    child.kill('SIGTERM')
    setTimeout(() => child.kill('SIGKILL'), PATIENCE_MILLISECONDS).unref()
  }
  // At a terminal Ctrl-C reaches the program by itself (same process group) and is its matter.
  const interrupt = () => process.stdin.isTTY || end()
  const orphanCheck = setInterval(() => isIntact(lineage) || end(), ORPHAN_CHECK_MILLISECONDS)
  process.on('SIGTERM', end).on('SIGHUP', end).on('SIGINT', interrupt)

  return new Promise((resolve, reject) => {
    child.once('error', (cause) => reject(new Error(`starting ${command[0]}: ${cause.message}`, { cause })))
    child.once('close', (code, signal) => resolve({ code: code ?? 128 + (signal ? os.signals[signal] : 0), output }))
  }).finally(() => {
    clearInterval(orphanCheck)
    process.off('SIGTERM', end).off('SIGHUP', end).off('SIGINT', interrupt)
  })
}

/** The end of a program's output, for an error message. @param {string} output */
export function tail(output) {
  return output.trimEnd().split('\n').slice(-20).join('\n')
}
