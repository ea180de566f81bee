import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  cpSync,
  globSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { gzipSync } from 'node:zlib'
import { rows } from '../../src/cli/commands.ts'
import { COPIES, DOCUMENTATION, HOME, MAINTAINER_SCRIPTS } from './layout.js'
import { isPacked, productionModules } from './modules.js'
import { changelog, control, copyright, manualPage } from './texts.js'

/** @typedef {{ readonly project: string, readonly stage: string, readonly version: string, readonly date: Date }} Build */

/** Debian's names for what Node runs on. @type {Readonly<Record<string, string>>} */
const ARCHITECTURES = { x64: 'amd64', arm64: 'arm64' }

/**
 * Builds the Debian package of a clone whose npm packages are installed. The same clone gives the same bytes.
 *
 * @param {string} project  the clone
 * @param {string} output  the folder for the package
 * @param {Date} date  of every file in it
 * @param {'xz' | 'gzip' | 'none'} compression
 * @returns {string}  its path
 */
export function buildDebianPackage(project, output, date, compression) {
  const architecture = ARCHITECTURES[process.arch]
  if (architecture === undefined) throw new Error(`there is no Debian architecture for ${process.arch} here`)
  const { version } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'))
  const stage = mkdtempSync(join(tmpdir(), 'firstboot-deb-'))
  try {
    const build = { project, stage, version, date }
    compile(build)
    for (const { from, to } of COPIES) put(join(project, from), join(stage, to))
    const modules = copyModules(build)
    put(nodeBinary(project), join(stage, HOME, 'node'))
    writeTexts(build, modules)
    for (const path of below(stage))
      if (lstatSync(path).isDirectory() && readdirSync(path).length === 0) rmdirSync(path)
    settleModes(stage)
    writeControl(build, architecture)
    settleTimes(stage, date)
    const deb = join(output, `firstboot_${version}_${architecture}.deb`)
    mkdirSync(output, { recursive: true })
    const env = { ...process.env, SOURCE_DATE_EPOCH: String(seconds(date)) }
    const options = ['--root-owner-group', `-Z${compression}`]
    execFileSync('dpkg-deb', [...options, '--build', stage, deb], { env, stdio: ['ignore', 'ignore', 'inherit'] })
    return deb
  } finally {
    rmSync(stage, { recursive: true, force: true })
  }
}

/** @param {Build} build */
function compile({ project, stage }) {
  const dist = join(stage, HOME, 'dist')
  const options = ['--outDir', dist, '--declaration', 'false', '--sourceMap', 'false']
  const tsc = join(project, 'node_modules/.bin/tsc')
  execFileSync(tsc, ['--project', join(project, 'tsconfig.build.json'), ...options], { stdio: 'inherit' })
  for (const script of globSync('**/*.sh', { cwd: join(project, 'src') }))
    put(join(project, 'src', script), join(dist, script))
}

/** @param {Build} build */
function copyModules({ project, stage }) {
  /** @param {string} path @returns {import('./modules.js').Lock} */
  const lock = (path) => JSON.parse(readFileSync(join(project, path), 'utf8'))
  const wanted = lock('package-lock.json')
  const paths = productionModules(wanted, lock('node_modules/.package-lock.json'))
  return paths.map((path) => {
    const source = join(project, path)
    put(source, join(stage, HOME, path), (file) => isPacked(path, relative(source, file)))
    return { path, license: wanted.packages[path]?.license ?? 'unknown', text: licenceOf(source) }
  })
}

/** @param {string} module */
function licenceOf(module) {
  const [file] = readdirSync(module).filter((name) => /^licen[cs]e/i.test(name))
  if (file !== undefined) return readFileSync(join(module, file), 'utf8')
  const { author, homepage = '' } = JSON.parse(readFileSync(join(module, 'package.json'), 'utf8'))
  return `It comes without the text of its licence. ${author?.name ?? author ?? ''} ${homepage}`
}

/** The one that npm has brought: Debian’s is too old. @param {string} project */
function nodeBinary(project) {
  return join(project, 'node_modules/node/bin/node')
}

/**
 * @param {Build} build
 * @param {readonly { readonly path: string, readonly license: string, readonly text: string }[]} modules
 */
function writeTexts({ project, stage, version, date }, modules) {
  const node = execFileSync(nodeBinary(project), ['--version'], { encoding: 'utf8' }).trim().slice(1)
  /** @type {Readonly<Record<string, string | Buffer>>} */
  const texts = {
    [`${DOCUMENTATION}/copyright`]: copyright(modules, node),
    [`${DOCUMENTATION}/changelog.gz`]: compressed(changelog(version, date)),
    [`${DOCUMENTATION}/CHANGELOG.md.gz`]: compressed(readFileSync(join(project, 'CHANGELOG.md'))),
    'usr/share/man/man1/firstboot.1.gz': compressed(manualPage(rows, version, date)),
  }
  for (const [path, text] of Object.entries(texts)) {
    mkdirSync(dirname(join(stage, path)), { recursive: true })
    writeFileSync(join(stage, path), text)
  }
}

/** @param {string | Buffer} text */
function compressed(text) {
  return gzipSync(text, { level: 9 })
}

/** Whatever the clone’s modes and our umask. @param {string} stage */
function settleModes(stage) {
  const modes = new Map(COPIES.flatMap(({ to, mode }) => (mode === undefined ? [] : [[join(stage, to), mode]])))
  chmodSync(stage, 0o755)
  for (const path of below(stage)) {
    const { mode } = lstatSync(path)
    const isProgram = lstatSync(path).isDirectory() || (mode & 0o100) !== 0
    chmodSync(path, modes.get(path) ?? (isProgram ? 0o755 : 0o644))
  }
}

/** @param {Build} build @param {string} architecture */
function writeControl({ project, stage, version }, architecture) {
  const files = below(stage).filter((path) => lstatSync(path).isFile())
  const names = files.map((path) => relative(stage, path))
  const sums = files.map((path, i) => `${createHash('md5').update(readFileSync(path)).digest('hex')}  ${names[i]}\n`)
  const bytes = files.reduce((sum, path) => sum + lstatSync(path).size, 0)
  const isConfiguration = (/** @type {string} */ name) => name.startsWith('etc/')
  const folder = join(stage, 'DEBIAN')
  mkdirSync(folder, { mode: 0o755 })
  const about = { version, architecture, kibibytes: Math.ceil(bytes / 1024) }
  writeFileSync(join(folder, 'control'), control(about))
  writeFileSync(
    join(folder, 'conffiles'),
    names
      .filter(isConfiguration)
      .map((name) => `/${name}\n`)
      .join(''),
  )
  writeFileSync(join(folder, 'md5sums'), sums.filter((_, i) => !isConfiguration(names[i] ?? '')).join(''))
  for (const script of MAINTAINER_SCRIPTS) {
    put(join(project, 'packaging/debian', script), join(folder, script))
    chmodSync(join(folder, script), 0o755)
  }
}

/** @param {string} stage @param {Date} date */
function settleTimes(stage, date) {
  for (const path of [...below(stage), stage]) lutimesSync(path, date, date)
}

/** All below a folder, what is within a folder before it. @param {string} folder @returns {readonly string[]} */
function below(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name)
      return entry.isDirectory() ? [...below(path), path] : [path]
    })
}

/** @param {string} from @param {string} to @param {(file: string) => boolean} [filter] */
function put(from, to, filter = () => true) {
  mkdirSync(dirname(to), { recursive: true })
  cpSync(from, to, { recursive: true, filter })
}

/** @param {Date} date */
function seconds(date) {
  return Math.floor(date.getTime() / 1000)
}
