import type { Command } from '../../host/host.ts'

/** A command and why it is needed: `address 10.0.0.2/24 is missing`. */
export interface Step {
  readonly command: Command
  readonly reason: string
}

export function step(command: Command, reason: string): Step {
  return { command, reason }
}
