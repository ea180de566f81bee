import { fileURLToPath } from 'node:url'
import { debianPackages } from './debian-packages.js'
import { guestKernel } from './guest-kernel.js'
import { guestRoot } from './guest-root.js'
import { nodeProgram, npmPackages } from './npm-packages.js'
import { runTied } from './programs.js'
import { setUp } from './set-up.js'

// `npm test [-- PATTERN...]`: what a bare clone lacks, then the tests in a sandbox. The sandbox has no network, so
// everything that is fetched is fetched here.

const project = fileURLToPath(new URL('..', import.meta.url))

await setUp([npmPackages(project), debianPackages('test'), guestRoot(), guestKernel()])
const suite = [nodeProgram(project), 'bootstrap/suite.js', ...process.argv.slice(2)]
const { code } = await runTied([nodeProgram(project), 'bootstrap/sandboxed.js', ...suite])
process.exitCode = code
