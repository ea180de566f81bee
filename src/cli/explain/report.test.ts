import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { healthy } from '../../../test/support/healthy-guest.ts'
import { explain } from '../../explain/explain.ts'
import type { Facts } from '../../explain/facts.ts'
import { BRIDGES } from '../../explain/way.ts'
import { reportLines } from './report.ts'

const plain = (_: string, text: string) => text
const ofProcess = { absent: 'part of firstboot up' }
const nobody = { unknown: 'no agent or proxy of ours runs here' }
const unasked = { visit: nobody, claims: nobody, agent: nobody, api: nobody }
const gone: Partial<Facts> = { ...unasked, inside: { value: undefined } }

/** The stations of the drawing with the mark that stands below each, and the steps with theirs. */
function marks(given: Partial<Facts>) {
  const explanation = explain(BRIDGES, { ...healthy, ...given }, 'web-1')
  const [, , names = '', below = '', ...rest] = reportLines(explanation, [explanation], plain)
  const hops = [...names.matchAll(/[a-zA-Z]+/g)].map(
    ({ 0: name, index }) => `${name} ${below.slice(index, index + name.length).trim()}`,
  )
  return { hops, line: (step: string) => rest.find((each) => each.includes(` ${step} `))?.trim() }
}

describe('the drawing', () => {
  it('has no question where all was looked at and the documents are part of what answers', () => {
    const { hops, line } = marks({ api: ofProcess })
    assert.deepEqual(
      hops,
      ['guest', 'bridge', 'namespace', 'proxy', 'agent', 'API', 'records'].map((hop) => `${hop} ok`),
    )
    assert.equal(line('api'), '-   api          part of firstboot up')
  })

  it('calls nothing well that nobody could look at', () => {
    const { hops, line } = marks(gone)
    assert.deepEqual([...hops.slice(0, 1), ...hops.slice(3, 6)], ['guest ?', 'proxy ?', 'agent ?', 'API ?'])
    assert.equal(line('listener'), '?   listener     there is no namespace to listen in')
  })

  it('shows what there need not be as that', () => {
    const path = { ...healthy.path, isDhcpServed: false }
    assert.equal(marks({ path, offers: { unknown: 'x' } }).line('dhcp'), '-   dhcp         no DHCP for this subnet')
  })
})
