import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isAlive, type ProcessId, processId } from '../host/process.ts'

/** Which sandbox the daemon of a state directory runs in, so that other commands can follow it in there. */
const FILE = 'sandbox.json'

/** @param pid  process 1 of the sandbox, as seen from outside */
export function rememberSandbox(stateDirectory: string, pid: number): void {
  writeFileSync(join(stateDirectory, FILE), JSON.stringify(processId(pid)))
}

/** @returns the sandbox's process 1, or undefined when none runs there, or we are inside: there it has another number */
export function runningSandbox(stateDirectory: string): number | undefined {
  try {
    const identity = JSON.parse(readFileSync(join(stateDirectory, FILE), 'utf8')) as ProcessId
    return isAlive(identity) ? identity.pid : undefined
  } catch {
    return undefined
  }
}
