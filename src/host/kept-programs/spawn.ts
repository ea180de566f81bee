import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Program } from '../namespace.ts'
import { inNamespace, netnsPath } from '../netns.ts'
import { type ProcessId, processId } from '../process.ts'
import { captureProgram, lastLines, startError } from '../programs.ts'
import { writeDraft } from './files.ts'
import { KINDS, kindOf } from './kinds.ts'

const START_MILLISECONDS = 5_000
const POLL_MILLISECONDS = 5
/** Of a log, in an error. */
const LAST_LINES = 2

/** A program that serves. */
export interface Launched extends ProcessId {
  /** Resolves with how it ended. */
  readonly ended: Promise<string>
}

/** Starts a program whose files are in their places. @returns once it serves, or why it does not */
export async function launch(netns: string, program: Program): Promise<Launched | { readonly failure: string }> {
  const { executable, isReady } = kindOf(program)
  rmSync(join(program.directory, 'pid'), { force: true })
  const child = spawnInside(netns, program)
  const ended = new Promise<string>((resolve) => {
    child.once('error', (cause) => resolve(startError(executable, cause).message))
    child.once('exit', (code, signal) => resolve(`it ended with ${signal ?? `exit code ${code}`}`))
  })
  const { pid } = child
  if (pid === undefined) return { failure: await ended }
  let hasEnded = false
  const failure = await Promise.race([
    ended.finally(() => {
      hasEnded = true
    }),
    until(() => hasEnded || isReady(program, pid)), // nobody waits for this one when it has ended
  ])
  const id = processId(pid)
  if (failure === undefined && id !== undefined) return { ...id, ended }
  child.kill('SIGKILL')
  return { failure: failureOf(program.kind, program.directory, failure ?? 'it ended at once') }
}

/** @returns undefined when it is so, what is wrong when that takes too long */
async function until(isReady: () => boolean): Promise<string | undefined> {
  const end = performance.now() + START_MILLISECONDS
  while (performance.now() < end) {
    if (isReady()) return undefined
    await delay(POLL_MILLISECONDS)
  }
  return `it is not ready after ${START_MILLISECONDS / 1000} s`
}

/** A child that is started inside the section stays there. It is of a session of its own, and gets none of our environment,
 *  in which options may be, secrets among them. */
function spawnInside(netns: string, program: Program): ChildProcess {
  const { executable, foreground, runArguments } = kindOf(program)
  const { directory, arguments: args } = program
  const log = openLog(directory)
  try {
    return inNamespace<ChildProcess>(netnsPath(netns), () => {
      const child = spawn(executable, [...args, foreground, ...runArguments(directory)], {
        detached: true,
        cwd: '/',
        env: { PATH: process.env['PATH'] },
        stdio: ['ignore', log, log],
      })
      child.unref()
      return child
    })
  } finally {
    closeSync(log)
  }
}

/** A log of this run; the one before is kept beside it. */
function openLog(directory: string): number {
  const path = join(directory, 'log')
  if (existsSync(path)) renameSync(path, `${path}.1`)
  return openSync(path, 'a', 0o600)
}

/** How it ended, with what it had to say about that. */
export function failureOf(kind: Program['kind'], directory: string, how: string): string {
  return [how, explanation(kind, readLog(directory))].filter(Boolean).join(': ')
}

/** The last lines of what a program said that tell why it fails. Pure. */
export function explanation(kind: Program['kind'], said: string): string {
  const lines = said.split('\n').filter((line) => line !== '' && !KINDS[kind].chatter.test(line))
  return lastLines(lines.join('\n'), LAST_LINES)
}

/** @returns nothing when there is no log: somebody may have deleted it */
function readLog(directory: string): string {
  try {
    return readFileSync(join(directory, 'log'), 'utf8')
  } catch {
    return ''
  }
}

/** Lets the program read its new file beside the one it runs with. @returns what it says is wrong there */
export async function checkFiles(program: Program): Promise<string | undefined> {
  const { check, executable } = kindOf(program)
  if (check === undefined) return undefined
  const args = check.arguments(writeDraft(program, check.file))
  const { exitCode, stdout, stderr } = await captureProgram(executable, args)
  if (exitCode === 0) return undefined
  return explanation(program.kind, stdout + stderr) || `it exited with ${exitCode}`
}
