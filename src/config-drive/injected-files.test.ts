import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DriveProblem } from './image.ts'
import { checkInjectedFiles } from './injected-files.ts'

describe('injected files', () => {
  const refused: readonly { name: string; paths: readonly string[]; want: RegExp }[] = [
    { name: 'that climb out', paths: ['/etc/../../root/x'], want: /"\/etc\/\.\.\/\.\.\/root\/x" climbs out/ },
    { name: 'that climb out as Windows does', paths: ['C:\\x\\..\\y'], want: /climbs out/ },
    { name: 'without a name', paths: [''], want: /is empty/ },
    { name: 'that are folders', paths: ['/etc/'], want: /names a folder/ },
    { name: 'with a NUL', paths: ['/etc/a\0b'], want: /NUL/ },
    { name: 'twice', paths: ['/etc/a', '/etc/a'], want: /two injected files go to "\/etc\/a"/ },
    { name: 'twice, spelt differently', paths: ['/etc/a', 'etc/./a'], want: /two injected files go to "etc\/\.\/a"/ },
    { name: 'all that is wrong at once', paths: ['', '/a/../b'], want: /is empty; .*climbs out/ },
  ]
  for (const { name, paths, want } of refused)
    it(`are refused: ${name}`, () =>
      assert.throws(
        () => checkInjectedFiles(paths.map((path) => ({ path }))),
        (error) => error instanceof DriveProblem && want.test(error.message),
      ))

  it('may have any other name', () =>
    checkInjectedFiles([
      { path: '/etc/..data' },
      { path: '/tmp/ünï cödé' },
      { path: 'C:\\Temp\\a.ps1' },
      { path: `/${'x'.repeat(255)}` },
    ]))
})
