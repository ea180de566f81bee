import process from 'node:process'

/**
 * One part of the set-up. `todo` looks whether anything is to be done, quickly, and says what.
 * @typedef {{ readonly says: string, readonly does: () => Promise<void> }} Work
 * @typedef {{ readonly title: string, readonly todo: () => Work | undefined }} Step
 */

/** A reason why the set-up cannot go on, in words for the person at the terminal. */
export class SetUpProblem extends Error {
  /** @override */
  name = 'SetUpProblem'
}

/**
 * Does what is still to be done, one line a step, and ends the process with the reason when that is not possible.
 * @param {readonly Step[]} steps
 */
export async function setUp(steps) {
  if (process.platform !== 'linux') return giveUp(new SetUpProblem('firstboot runs on Linux only.'))
  const start = performance.now()
  let done = 0
  for (const { title, todo } of steps) {
    const work = todo()
    if (!work) continue
    try {
      await showing(`set-up: ${title}: ${work.says}`, work.does)
    } catch (cause) {
      giveUp(cause)
    }
    done += 1
  }
  if (done === 0) process.stderr.write(`set-up: nothing to do (${seconds(start)})\n`)
}

/**
 * Prints the line, at a terminal with the seconds running, and what the work took.
 * @param {string} line
 * @param {() => Promise<void>} work
 */
async function showing(line, work) {
  const start = performance.now()
  const isTerminal = process.stderr.isTTY
  process.stderr.write(`${line} ...`)
  const ticker = setInterval(() => isTerminal && process.stderr.write(`\r${line} ... ${seconds(start)}`), 1000)
  try {
    await work()
    process.stderr.write(isTerminal ? `\r${line} ... ${seconds(start)}\n` : ` ${seconds(start)}\n`)
  } catch (cause) {
    process.stderr.write(' failed\n')
    throw cause
  } finally {
    clearInterval(ticker)
  }
}

/** @param {unknown} cause @returns {never} */
function giveUp(cause) {
  process.stderr.write(`${cause instanceof SetUpProblem ? cause.message : String(cause)}\n`)
  process.exit(1)
}

/** @param {number} start */
function seconds(start) {
  return `${((performance.now() - start) / 1000).toFixed(2)} s`
}
