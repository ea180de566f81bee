import { globSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { basename, dirname, join, normalize } from 'node:path'

/** One arrow: `target` is a file under src/ (`host/ip.ts`), or a package or module of Node as written. */
export interface Import {
  readonly file: string
  readonly target: string
}

/** The folders of src/, highest line first. A file may import its own folder's files and those of lower lines. */
const LINES: readonly (readonly string[])[] = [
  ['cli'],
  ['daemons'],
  [
    'openstack-api',
    'metadata-api',
    'metadata-agent',
    'metadata-proxy',
    'serve',
    'datapath',
    'hypervisor',
    'explain',
    'doctor',
  ],
  ['host', 'ovsdb', 'http', 'observe', 'config', 'inventory/sql', 'inventory/file'],
  ['config-drive', 'guest-clients', 'lint'],
  ['documents'],
  ['inventory'],
  ['inventory/records'],
  ['text'],
]
const FOLDERS = LINES.flat().sort((a, b) => b.length - a.length) // the longest name that fits is the folder

/** What holds beyond the lines. `isBroken` sees the importing folder, the importing file and the target. */
interface Rule {
  readonly says: string
  readonly isBroken: (from: string, target: string, file: string) => boolean
}

const PURE = [
  'documents/',
  'config-drive/',
  'lint/',
  'doctor/',
  'explain/',
  'guest-clients/',
  'datapath/router/',
  'datapath/dhcp/',
  'datapath/ovn/',
  'datapath/port-security/',
]
const HARMLESS = ['node:crypto', 'node:zlib']
const isUnder = (folder: string, target: string) => target.startsWith(`${folder}/`)

const RULES: readonly Rule[] = [
  {
    says: 'documents, config drive, guest clients, checks and planners are pure: of Node they import node:crypto and node:zlib only',
    isBroken: (_, target, file) =>
      PURE.some((folder) => file.startsWith(folder)) && isBuiltin(target) && !HARMLESS.includes(target),
  },
  {
    says: 'documents and config drive see records alone',
    isBroken: (from, target) => ['documents', 'config-drive'].includes(from) && folderOf(target) === 'inventory',
  },
  {
    says: 'only host/ starts programs and calls into libc',
    isBroken: (from, target) => from !== 'host' && ['node:child_process', 'koffi'].includes(target),
  },
  {
    says: 'ovsdb stands alone: it imports its own files and Node',
    isBroken: (from, target) => from === 'ovsdb' && !isUnder('ovsdb', target) && !isBuiltin(target),
  },
  {
    says: 'only inventory/sql speaks to a database',
    isBroken: (from, target) => from !== 'inventory/sql' && /^(node:sqlite|pg|kysely)(\/|$)/.test(target),
  },
  {
    says: 'only daemons and cli choose where the inventory is kept',
    isBroken: (from, target) =>
      ['inventory/sql', 'inventory/file'].some((kept) => isUnder(kept, target) && from !== kept) &&
      !['daemons', 'cli'].includes(from),
  },
]

/** Every arrow that the architecture forbids, one line each. Pure. */
export function brokenImports(imports: readonly Import[]): string[] {
  return imports.flatMap(({ file, target }) => {
    const from = folderOf(file)
    const rules = from ? RULES.filter((rule) => rule.isBroken(from, target, file)).map((rule) => rule.says) : []
    return [...lineRule(file, target), ...rules].map((says) => `${file} imports ${target}: ${says}`)
  })
}

/** Names that say nothing about what is in the file. Pure. */
export function emptyNames(files: readonly string[]): string[] {
  const empty = /(^|-)(utils?|helpers?|managers?)$|^index$/
  return files.filter((file) => file.split('/').some((part) => empty.test(part.replace(/(\.test)?\.ts$/, ''))))
}

/** The imports of everything under src/ but its tests, which may reach for what they need. */
export function readImports(src: string): Import[] {
  return sourceFiles(src)
    .filter((file) => !file.endsWith('.test.ts'))
    .flatMap((file) =>
      importedBy(readFileSync(join(src, file), 'utf8')).map((specifier) => ({
        file,
        target: specifier.startsWith('.') ? normalize(join(dirname(file), specifier)) : specifier,
      })),
    )
}

/** The modules that a source names, as written. Pure. */
export function importedBy(source: string): string[] {
  return Array.from(source.matchAll(IMPORT), ([, specifier = '']) => specifier)
}

export function sourceFiles(src: string): string[] {
  return globSync('**/*.ts', { cwd: src }).sort()
}

/** `import … from '…'`, `export … from '…'`, `import '…'`, `import('…')`. */
const IMPORT = /\b(?:from|import)\s*\(?\s*['"]([^'"\n]+)['"]/g

function lineRule(file: string, target: string): string[] {
  if (isBuiltin(target) || isPackage(target)) return []
  const [from, to] = [folderOf(file), folderOf(target)]
  if (!from) return [`${dirname(file)} has no line in the architecture`]
  if (!to) return [`${target} is no folder of the architecture`]
  if (from === to || lineOf(from) < lineOf(to)) return []
  return [`${from} stands ${lineOf(from) === lineOf(to) ? 'on the same line as' : 'below'} ${to}`]
}

function isPackage(target: string): boolean {
  return !target.endsWith('.ts') || basename(target) === target
}

function folderOf(path: string): string | undefined {
  return FOLDERS.find((folder) => isUnder(folder, path))
}

function lineOf(folder: string): number {
  return LINES.findIndex((line) => line.includes(folder))
}
