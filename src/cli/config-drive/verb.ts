import type { Given } from '../command.ts'
import type { options } from './options.ts'

/** What `firstboot config-drive` does with a drive. */
export interface Verb {
  readonly name: string
  /** What stands behind it. */
  readonly usage: string
  readonly operands: number
  /** @returns the exit code */
  run(operands: readonly string[], given: Given<typeof options>): Promise<number>
}
