import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readTarget } from './path.ts'

const open = { names: [], isOpen: true }
const ec2List = { names: [], isOpen: false }
const to = (...names: readonly string[]) => ({ names, isOpen: false })

const cases: readonly { readonly target: string; readonly want: ReturnType<typeof readTarget> }[] = [
  { target: '/', want: open },
  { target: '//', want: open },
  { target: '///', want: open },
  { target: '/.', want: open },
  { target: '/x/..', want: open },
  { target: '/../..', want: open },
  { target: '/?a=b', want: open },
  { target: 'http://any.host/', want: open },
  { target: '/%2F', want: open },
  { target: '/%2Fx/..', want: open },
  { target: '/%2Flatest', want: to('latest') },
  { target: '%2Flatest', want: to('latest') },
  { target: '/%2F%2Flatest', want: to('latest') },
  { target: 'http://any.host', want: ec2List },
  { target: 'http://any.host//%2Flatest', want: to('latest') },
  { target: 'http://any.host%2Flatest', want: to('latest') },
  { target: 'http://any.%E9/latest', want: to('latest') },
  { target: 'HTTP://any.host/latest', want: to('latest') },
  { target: 'http://any.host/openstack', want: to('openstack') },
  { target: '//2009-04-04', want: to('2009-04-04') },
  { target: '/ec2//latest///', want: to('ec2', 'latest') },
  { target: '/latest/meta-data/../user-data', want: to('latest', 'user-data') },
  { target: '/openstack/../latest', want: to('latest') },
  { target: '/openstack/%2e%2e/latest', want: to('latest') },
  { target: '/openstack%2Flatest', want: to('openstack', 'latest') },
  { target: '/openstack/latest?x=/../..', want: to('openstack', 'latest') },
  { target: '/latest;v=1', want: to('latest;v=1') },
  { target: '/openstack#x', want: to('openstack#x') },
  { target: '/a+b', want: to('a+b') },
  { target: '/latest%20', want: to('latest ') },
  { target: '/latest%00', want: to('latest\0') },
  { target: '/100%/%zz', want: to('100%', '%zz') },
  { target: '/caf%C3%A9', want: to('café') },
  { target: '/caf\u00c3\u00a9', want: to('café') },
  { target: '/%E9', want: undefined },
  { target: '/\u00e9', want: undefined },
  { target: 'openstack', want: undefined },
  { target: '*', want: undefined },
  { target: '', want: undefined },
]

for (const { target, want } of cases) {
  test(`the target ${JSON.stringify(target)}`, () => assert.deepEqual(readTarget(target), want))
}
