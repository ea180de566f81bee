import { fileURLToPath } from 'node:url'
import { debianPackages } from './debian-packages.js'
import { nodeProgram, npmPackages } from './npm-packages.js'
import { runTied } from './programs.js'
import { setUp } from './set-up.js'

// `npm start [-- ARGUMENTS]`: what a bare clone lacks, then `firstboot lab ARGUMENTS`.

const project = fileURLToPath(new URL('..', import.meta.url))

await setUp([npmPackages(project), debianPackages('start')])
const { code } = await runTied([nodeProgram(project), 'bin/firstboot.js', 'lab', ...process.argv.slice(2)])
process.exitCode = code
