import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { PATH_CLASSES, type PathClass, pathClass } from './path-class.ts'

const cases: readonly (readonly [target: string, want: PathClass])[] = [
  ['/', 'root'],
  ['//', 'root'],
  ['/?a=/openstack', 'root'],
  ['/openstack', 'listing'],
  ['/openstack/', 'listing'],
  ['/openstack/2018-08-27', 'listing'],
  ['/openstack/latest/', 'listing'],
  ['/openstack/latest/version', 'listing'],
  ['/openstack/latest/meta_data.json', 'meta_data.json'],
  ['/openstack/latest/meta_data.json?x', 'meta_data.json'],
  ['/openstack//2012-08-10//user_data', 'user_data'],
  ['/openstack/latest/network_data.json', 'network_data.json'],
  ['/openstack/latest/vendor_data.json', 'vendor_data'],
  ['/openstack/latest/vendor_data2.json', 'vendor_data'],
  ['/openstack/latest/password', 'password'],
  ['/openstack/content/0000', 'content'],
  ['/openstack/content', 'other'],
  ['/openstack/latest/meta_data.json/more', 'other'],
  ['/openstack/evil/meta_data.json', 'other'],
  ['/openstack/latest/__proto__', 'other'],
  ['/1.0/', 'listing'],
  ['/latest', 'listing'],
  ['/latest/meta-data', 'listing'],
  ['/2009-04-04/meta-data/', 'listing'],
  ['/latest/meta-data/placement/', 'listing'],
  ['/latest/meta-data/placement/availability-zone', 'meta-data'],
  ['/latest/meta-data/public-keys/0/openssh-key', 'meta-data'],
  ['/ec2/latest/meta-data/ami-id', 'meta-data'],
  ['/ec2', 'listing'],
  ['/latest/user-data', 'user_data'],
  ['/latest/user-data/', 'user_data'],
  ['/latest/api/token', 'token'],
  ['/latest/api/else', 'other'],
  ['/latest/dynamic/instance-identity', 'other'],
  ['/favicon.ico', 'other'],
  ['', 'other'],
  ['*', 'other'],
  ['http://169.254.169.254/latest', 'other'],
  [`/latest/meta-data/${'a'.repeat(300)}`, 'other'],
]

describe('the kind of document', () => {
  for (const [target, want] of cases)
    it(`of ${target.slice(0, 60) || 'nothing'} is ${want}`, () => assert.equal(pathClass(target), want))

  it('is known of every path that a real Nova answered', () => {
    const walks = new URL('../../../test/golden/nova/walk/', import.meta.url)
    const answered = globSync('*.json', { cwd: walks.pathname }).flatMap((file) => {
      const { responses } = JSON.parse(readFileSync(new URL(file, walks), 'utf8')) as {
        responses: readonly { readonly p: string; readonly s: number }[]
      }
      return responses.filter(({ s }) => s === 200).map(({ p }) => p)
    })
    assert.ok(answered.length > 500)
    assert.deepEqual(
      [...new Set(answered)].filter((path) => pathClass(path) === 'other'),
      [],
    )
  })

  it('is one of few, whatever is sent', () => {
    const pieces = [
      '/',
      '.',
      '%2f',
      'latest',
      'openstack',
      'meta-data',
      '1.0',
      '\0',
      '?',
      'é',
      'user_data',
      'api',
      'token',
    ]
    let seed = 7
    const next = () => {
      seed = (seed * 48_271) % 2_147_483_647
      return seed
    }
    for (let i = 0; i < 5_000; i += 1) {
      const target = Array.from({ length: next() % 9 }, () => pieces[next() % pieces.length]).join('')
      assert.ok(PATH_CLASSES.includes(pathClass(target)), target)
    }
  })
})
