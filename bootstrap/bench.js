import { fileURLToPath } from 'node:url'
import { debianPackages } from './debian-packages.js'
import { nodeProgram, npmPackages } from './npm-packages.js'
import { runTied } from './programs.js'
import { setUp } from './set-up.js'

// `npm run bench [-- NAME...] [--json]`: what a bare clone lacks, then the benchmarks in a sandbox.

const project = fileURLToPath(new URL('..', import.meta.url))

await setUp([npmPackages(project), debianPackages('start'), debianPackages('bench')])
const benchmarks = [nodeProgram(project), 'bench/run.ts', ...process.argv.slice(2)]
const { code } = await runTied([nodeProgram(project), 'bootstrap/sandboxed.js', ...benchmarks])
process.exitCode = code
