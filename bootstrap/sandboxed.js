import { enterSandbox } from '../src/host/sandbox.ts'

// Runs its arguments as a command in a sandbox and ends with the command's exit code. Needs Node 24.

try {
  process.exitCode = await enterSandbox(process.argv.slice(2))
} catch (cause) {
  process.stderr.write(`${cause instanceof Error ? cause.message : cause}\n`)
  process.exitCode = 1
}
