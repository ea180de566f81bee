import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bridgeOwner, MARK, markOf, netnsOwner, type Owner } from './mark.ts'

const OURS = markOf('/var/lib/firstboot')
const THEIRS = markOf('/var/lib/other')

test('a mark names the state directory in one word that ip and the kernel take', () => {
  assert.equal(OURS, 'firstboot:/var/lib/firstboot')
  assert.match(markOf(`/a b/'c'"#\\/ü`), /^[\x21-\x7e]+$/)
  assert.doesNotMatch(markOf(`/a b/'c'"#\\/ü`), /['"#\\]/)
})

test('marks of long paths fit into an alias and differ where the paths do', () => {
  const tail = `/${'d'.repeat(400)}/state`
  assert.equal(markOf(`/one${tail}`).length, 255)
  assert.notEqual(markOf(`/one${tail}`), markOf(`/two${tail}`))
  assert.match(markOf(`/one${tail}`), /d\/state$/)
})

const lo = (alias: string) => ({ name: 'lo', alias })
const device = { name: 'ns-1', alias: '' }

const namespaces: readonly { readonly name: string; readonly links: (typeof device)[]; readonly want: Owner }[] = [
  { name: 'marked by us', links: [lo(OURS), device], want: 'us' },
  { name: 'marked by us, empty', links: [lo(OURS)], want: 'us' },
  { name: 'empty', links: [lo('')], want: 'nobody' },
  { name: 'marked by another firstboot, empty', links: [lo(THEIRS)], want: 'others' },
  { name: 'marked by another firstboot', links: [lo(THEIRS), device], want: 'others' },
  { name: 'without a mark and in use', links: [lo(''), device], want: 'others' },
]
for (const { name, links, want } of namespaces)
  test(`a namespace ${name} belongs to ${want}`, () => assert.equal(netnsOwner(links, OURS), want))

const bridges: readonly { readonly alias: string; readonly want: Owner }[] = [
  { alias: OURS, want: 'us' },
  { alias: MARK, want: 'nobody' },
  { alias: THEIRS, want: 'others' },
  { alias: '', want: 'others' },
]
for (const { alias, want } of bridges)
  test(`a bridge with alias '${alias}' belongs to ${want}`, () => assert.equal(bridgeOwner({ alias }, OURS), want))
