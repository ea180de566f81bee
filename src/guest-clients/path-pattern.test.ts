import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fitsPath } from './path-pattern.ts'

describe('a path pattern', () => {
  const cases: { pattern: string; fits: string[]; not: string[] }[] = [
    { pattern: '/openstack', fits: ['/openstack', '/openstack/'], not: ['/openstack/latest', '/', '/Openstack'] },
    {
      pattern: '/openstack/*/user_data',
      fits: ['/openstack/latest/user_data', '/openstack/2018-08-27/user_data'],
      not: ['/openstack/user_data', '/openstack/a/b/user_data', '/x/openstack/latest/user_data'],
    },
    { pattern: '/openstack/*_data.json', fits: ['/openstack/meta_data.json'], not: ['/openstack/meta_dataXjson'] },
    { pattern: '/latest/**', fits: ['/latest/meta-data/hostname'], not: ['/latest', '/2009-04-04/meta-data'] },
    { pattern: '**', fits: ['/', '/openstack/latest'], not: [] },
    { pattern: '/', fits: ['/'], not: ['/latest'] },
  ]
  for (const { pattern, fits, not } of cases)
    it(pattern, () => {
      assert.deepEqual(
        fits.filter((path) => !fitsPath(pattern, path)),
        [],
      )
      assert.deepEqual(
        not.filter((path) => fitsPath(pattern, path)),
        [],
      )
    })
})
