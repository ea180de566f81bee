import { captureProgram, lastLines } from './programs.ts'

/** One command of `ip`, without the program's name: `['link', 'set', 'lo', 'up']`. */
export type IpCommand = readonly string[]

/** A command of a batch failed. Those before it are done, those behind it are not begun. */
export class IpBatchFailed extends Error {
  override readonly name = 'IpBatchFailed'
  /** Which, counted from 0. */
  readonly index: number
  constructor(index: number, message: string) {
    super(message)
    this.index = index
  }
}

/**
 * Runs commands in one process.
 * @param netns  undefined: our own namespace
 * @throws IpBatchFailed at the first that fails; HostError when `ip` cannot be started
 */
export async function ipBatch(commands: readonly IpCommand[], netns?: string): Promise<void> {
  const args = [...(netns === undefined ? [] : ['-n', netns]), '-batch', '-']
  const output = await captureProgram('ip', args, { input: commands.map(batchLine).join('') })
  if (output.exitCode === 0) return
  const index = failedLine(output.stderr)
  const line = commands[index]?.join(' ') ?? ''
  const where = netns === undefined ? '' : `-n ${netns} `
  throw new IpBatchFailed(index, `\`ip ${where}${line}\` exited with ${output.exitCode}: ${reason(output.stderr)}`)
}

/** Names and addresses of ours hold neither blanks nor quotes; whatever does is no command of ours. */
function batchLine(command: IpCommand): string {
  const odd = command.find((word) => !/^[^\s"'\\#]+$/.test(word))
  if (odd !== undefined) throw new Error(`\`${odd}\` cannot be a word of an ip command`)
  return `${command.join(' ')}\n`
}

/** `Command failed -:3`, lines counted from 1. A bad word ends ip without it, at the first line it cannot read. */
function failedLine(stderr: string): number {
  const line = /Command failed -:(\d+)/.exec(stderr)?.[1]
  return line === undefined ? 0 : Number(line) - 1
}

function reason(stderr: string): string {
  return lastLines(stderr.replaceAll(/^Command failed -:\d+$/gm, ''))
}
