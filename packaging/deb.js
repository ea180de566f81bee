import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

// `npm run package:deb [-- DIR]`: the Debian package of this clone, and its path on standard output.

const project = fileURLToPath(new URL('..', import.meta.url))
const packaging = join(project, 'packaging')
const into = resolve(process.argv[2] ?? join(project, 'dist-packages'))
const { version, description } = readJson(join(project, 'package.json'))
const architecture = run('dpkg', '--print-architecture').trim()

const root = mkdtempSync(join(tmpdir(), 'firstboot-deb-'))
try {
  chmodSync(root, 0o755)
  stage()
  mkdirSync(into, { recursive: true })
  const file = join(into, `firstboot_${version}_${architecture}.deb`)
  run('dpkg-deb', '--root-owner-group', '-Zzstd', '--build', root, file)
  process.stdout.write(`${file}\n`)
} finally {
  rmSync(root, { recursive: true, force: true })
}

function stage() {
  const lib = '/usr/lib/firstboot'
  compile(join(root, lib, 'dist'))
  for (const file of ['package.json', 'bin', 'examples', 'LICENSE']) take(join(project, file), join(lib, file))
  for (const name of libraries()) take(join(project, 'node_modules', name), join(lib, 'node_modules', name))
  take(join(project, 'node_modules/node/bin/node'), join(lib, 'node'))
  take(join(packaging, 'firstboot'), join(lib, 'firstboot'))
  mkdirSync(join(root, 'usr/bin'), { recursive: true })
  symlinkSync('../lib/firstboot/firstboot', join(root, 'usr/bin/firstboot'))

  for (const unit of globSync(join(packaging, 'systemd/*'))) take(unit, join('/lib/systemd/system', basename(unit)))
  take(join(packaging, 'sysusers.conf'), '/usr/lib/sysusers.d/firstboot.conf')
  take(join(packaging, 'tmpfiles.conf'), '/usr/lib/tmpfiles.d/firstboot.conf')
  const settings = globSync(join(packaging, 'etc/*')).map((file) => join('/etc/firstboot', basename(file)))
  for (const file of settings) take(join(packaging, 'etc', basename(file)), file)
  for (const file of ['README.md', 'CHANGELOG.md', 'docs'])
    take(join(project, file), join('/usr/share/doc/firstboot', file))
  take(join(project, 'LICENSE'), '/usr/share/doc/firstboot/copyright')

  for (const script of ['postinst', 'prerm']) take(join(packaging, script), join('/DEBIAN', script))
  write('/DEBIAN/conffiles', settings)
  const kibibytes = Number(run('du', '--summarize', '--apparent-size', '-k', root).split('\t')[0])
  write('/DEBIAN/control', [
    'Package: firstboot',
    `Version: ${version}`,
    `Architecture: ${architecture}`,
    'Maintainer: The firstboot authors <firstboot@localhost>',
    `Installed-Size: ${kibibytes}`,
    'Depends: libc6 (>= 2.28), libstdc++6, iproute2, util-linux, mount, dnsmasq-base',
    'Recommends: systemd',
    'Section: net',
    'Priority: optional',
    `Description: ${description}`,
  ])
}

/** @param {string} directory */
function compile(directory) {
  const options = [
    '--project',
    'tsconfig.build.json',
    '--outDir',
    directory,
    '--declaration',
    'false',
    '--sourceMap',
    'false',
  ]
  run(join(project, 'node_modules/.bin/tsc'), ...options)
  for (const script of globSync('src/**/*.sh', { cwd: project }))
    cpSync(join(project, script), join(directory, script.replace(/^src\//, '')))
}

/** The packages needed at run time, as they lie in node_modules. */
function libraries() {
  /** @type {Set<string>} */
  const found = new Set()
  /** @param {string} manifest @param {boolean} isOurs */
  const follow = (manifest, isOurs) => {
    const { dependencies = {}, optionalDependencies = {} } = readJson(manifest)
    for (const name of [...Object.keys(dependencies), ...Object.keys(optionalDependencies)]) {
      const path = join(project, 'node_modules', name)
      if (found.has(name)) continue
      if (!existsSync(path)) {
        // Those for other machines are not installed.
        if (name in optionalDependencies) continue
        throw new Error(`${path} is not there${isOurs ? ': npm ci brings it' : ''}`)
      }
      found.add(name)
      follow(join(path, 'package.json'), false)
    }
  }
  follow(join(project, 'package.json'), true)
  return [...found].sort()
}

/** @param {string} from @param {string} to  a path in the package */
function take(from, to) {
  const target = join(root, to)
  mkdirSync(dirname(target), { recursive: true })
  cpSync(from, target, { recursive: true, dereference: true })
}

/** @param {string} path @param {readonly string[]} lines */
function write(path, lines) {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), `${lines.join('\n')}\n`)
}

/** @param {string} path */
function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'))
}

/** @param {string} program @param {readonly string[]} args */
function run(program, ...args) {
  return execFileSync(program, args, { cwd: project, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
}
