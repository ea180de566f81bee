import type { TestMachine } from '../test-machine.ts'

/** What `firstboot explain --json` said, and how long that took. */
export interface Explained extends ExplainedPort {
  readonly exitCode: number | null
  readonly milliseconds: number
  readonly ports: readonly ExplainedPort[]
}

interface ExplainedPort {
  readonly port: string | null
  readonly verdict: string
  readonly sentence: string
  readonly steps: readonly { readonly id: string; readonly state: string; readonly observed: string }[]
  readonly findings: readonly { readonly id: string; readonly severity: string; readonly observed: string }[]
}

export function readExplained(machine: TestMachine, command: readonly [string, ...string[]]): Promise<Explained> {
  const { promise, resolve, reject } = Promise.withResolvers<Explained>()
  const started = performance.now()
  const child = machine.start(command, { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  let complained = ''
  child.stdout?.on('data', (chunk) => {
    said += chunk
  })
  child.stderr?.on('data', (chunk) => {
    complained += chunk
  })
  child.on('close', (exitCode) => {
    try {
      resolve({ ...JSON.parse(said), exitCode, milliseconds: performance.now() - started })
    } catch {
      reject(new Error(`${command.join(' ')} ended with ${exitCode}: ${complained}`))
    }
  })
  return promise
}
