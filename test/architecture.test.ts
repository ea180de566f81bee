import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { brokenImports, emptyNames, importedBy, readImports, sourceFiles } from './support/architecture.ts'

const src = fileURLToPath(new URL('../src', import.meta.url))

describe('the architecture', () => {
  it('is kept by every import', () => {
    const imports = readImports(src)
    assert.notEqual(imports.length, 0)
    assert.deepEqual(brokenImports(imports), [])
  })

  it('is kept by every name', () => assert.deepEqual(emptyNames(sourceFiles(src)), []))
})

describe('an arrow', () => {
  const cases: { name: string; from: string; to: string; want: RegExp | null }[] = [
    { name: 'within a folder', from: 'host/netns.ts', to: 'host/run.ts', want: null },
    { name: 'down one line', from: 'cli/up.ts', to: 'daemons/up.ts', want: null },
    { name: 'down many lines', from: 'cli/show.ts', to: 'inventory/records/port.ts', want: null },
    { name: 'to a package', from: 'http/client.ts', to: 'undici', want: null },
    { name: 'from a planner to a hash', from: 'datapath/dhcp/plan.ts', to: 'node:crypto', want: null },
    { name: 'from the drive to the documents', from: 'config-drive/layout.ts', to: 'documents/tree.ts', want: null },
    { name: 'up', from: 'host/netns.ts', to: 'datapath/plan.ts', want: /host stands below datapath/ },
    { name: 'across', from: 'metadata-agent/a.ts', to: 'metadata-api/b.ts', want: /on the same line/ },
    { name: 'from the records up', from: 'inventory/records/a.ts', to: 'inventory/store.ts', want: /stands below/ },
    { name: 'from the documents to the drive', from: 'documents/a.ts', to: 'config-drive/b.ts', want: /stands below/ },
    {
      name: 'from the documents to the store',
      from: 'documents/a.ts',
      to: 'inventory/store.ts',
      want: /records alone/,
    },
    { name: 'from a planner to files', from: 'datapath/dhcp/plan.ts', to: 'node:fs', want: /pure/ },
    { name: 'from the documents to a clock', from: 'documents/a.ts', to: 'node:timers/promises', want: /pure/ },
    { name: 'to programs', from: 'cli/lab.ts', to: 'node:child_process', want: /only host/ },
    { name: 'to libc', from: 'metadata-proxy/native/socket.ts', to: 'koffi', want: /only host/ },
    {
      name: 'from the OVSDB client to a record',
      from: 'ovsdb/a.ts',
      to: 'inventory/records/port.ts',
      want: /stands alone/,
    },
    { name: 'to a database', from: 'daemons/up.ts', to: 'node:sqlite', want: /only inventory\/sql/ },
    {
      name: 'to a part of a database driver',
      from: 'inventory/a.ts',
      to: 'kysely/helpers',
      want: /only inventory\/sql/,
    },
    {
      name: 'to the kept inventory',
      from: 'metadata-api/a.ts',
      to: 'inventory/sql/store.ts',
      want: /only daemons and cli/,
    },
    { name: 'out of the house', from: 'cli/a.ts', to: '../bootstrap/b.ts', want: /no folder/ },
    { name: 'from a folder nobody planned', from: 'misc/a.ts', to: 'host/b.ts', want: /no line/ },
  ]
  for (const { name, from, to, want } of cases)
    it(`${name} is ${want ? 'forbidden' : 'allowed'}`, () => {
      const broken = brokenImports([{ file: from, target: to }])
      if (want === null) assert.deepEqual(broken, [])
      else assert.match(broken.join('\n'), want)
    })

  const forms = [
    "import { a } from './a.ts'",
    "import type { A } from './a.ts'",
    "import {\n  a,\n  b,\n} from './a.ts'",
    "import './a.ts'",
    "export * from './a.ts'",
    "export type { A } from './a.ts'",
    "const load = async () => (await import('./a.ts')).a",
    "/** @type {import('./a.ts').A} */",
  ]
  for (const source of forms) it(`is found in ${source}`, () => assert.deepEqual(importedBy(source), ['./a.ts']))
})

describe('a name', () => {
  const empty = ['host/utils.ts', 'helpers/a.ts', 'cli/string-util.ts', 'http/index.ts', 'host/netns-manager.test.ts']
  for (const name of empty) it(`${name} says nothing`, () => assert.deepEqual(emptyNames([name]), [name]))
  it('hypervisor/keeper.ts says something', () => assert.deepEqual(emptyNames(['hypervisor/keeper.ts']), []))
})
