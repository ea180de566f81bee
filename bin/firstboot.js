#!/usr/bin/env node
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import module from 'node:module'
import { constants, homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

// The `firstboot` command: the sources of a clone, else the compiled package, under a Node that is new enough.

const NODE_MAJOR = 24
const sources = new URL('../src/cli/main.ts', import.meta.url)
const compiled = new URL('../dist/cli/main.js', import.meta.url)
const broughtNode = fileURLToPath(new URL('../node_modules/.bin/node', import.meta.url))

if (Number.parseInt(process.versions.node, 10) >= NODE_MAJOR) await start()
else if (existsSync(broughtNode)) startWith(broughtNode)
else {
  process.stderr.write(
    `firstboot needs Node ${NODE_MAJOR} or later; this is ${process.version}. In a clone, npm ci (or npm start) brings it.\n`,
  )
  process.exitCode = 1
}

async function start() {
  module.enableCompileCache(join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'firstboot', 'compiled'))
  silenceExperimentalWarnings()
  outliveReaders()
  const { main } = await import((existsSync(sources) ? sources : compiled).href)
  const code = await main(process.argv.slice(2))
  // A pipe takes what is printed in its reader's time, and what it has not taken by then would be lost.
  await Promise.all([process.stdout, process.stderr].map(written))
  process.exit(code)
}

/** Who reads our answers may have read enough, as `head` has: then we end as by SIGPIPE. Remarks that nobody reads any more
 *  (`firstboot up 2>&1 | tee log`, where Ctrl-C ends both) must not keep us from finishing. */
function outliveReaders() {
  process.stdout.on('error', (/** @type {NodeJS.ErrnoException} */ error) => {
    if (error.code !== 'EPIPE') throw error
    process.exit(128 + constants.signals.SIGPIPE)
  })
  process.stderr.on('error', () => undefined)
}

/** @param {NodeJS.WriteStream} stream */
function written(stream) {
  return new Promise((done) => (stream.writableLength === 0 ? done(undefined) : stream.write('', done)))
}

/** Type stripping and node:sqlite announce themselves as experimental; those who run firstboot cannot act on it. */
function silenceExperimentalWarnings() {
  const { emitWarning } = process
  process.emitWarning = /** @type {typeof emitWarning} */ (
    (/** @type {string | Error} */ warning, /** @type {[]} */ ...options) => {
      const [kind] = /** @type {unknown[]} */ (options)
      if (kind !== 'ExperimentalWarning') emitWarning.call(process, warning, ...options)
    }
  )
}

/** Runs this again, tied to our life: what ends us alone ends it likewise, and `kill -9` lets it tear nothing down.
 *  @param {string} node */
function startWith(node) {
  const command = [node, fileURLToPath(import.meta.url), ...process.argv.slice(2)]
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...command], { stdio: 'inherit' })
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT')) // a terminal's Ctrl-C reaches both of us
  for (const signal of /** @type {const} */ (['SIGTERM', 'SIGHUP', 'SIGUSR2']))
    process.on(signal, () => child.kill(signal))
  child.once('exit', (code, signal) => process.exit(code ?? 128 + (signal ? constants.signals[signal] : 0)))
}
