import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { judge } from '../../guest-clients/verdict.ts'
import { type Journey, journeys } from '../../observe/flight/journey.ts'
import type { FlightRecord } from '../../observe/flight/record.ts'
import { drawBoot } from './draw.ts'
import { type Boot, lastBoot } from './events.ts'
import { bootSvg } from './svg.ts'

interface Recorded {
  readonly method: string
  readonly path: string
  readonly user_agent: string
  readonly status: number
}

interface Run {
  readonly name: string
  readonly cloud_init: string
  readonly source: string
  readonly requests: readonly Recorded[]
}

const { runs } = JSON.parse(
  readFileSync(new URL('../../../test/clients/cloud-init-requests.json', import.meta.url), 'utf8'),
) as { readonly runs: readonly Run[] }

const START = Date.UTC(2026, 0, 1)
const BETWEEN = 10
const TOOK = 4

/** As the daemons would have recorded these requests, one every 10 ms, each answered after 4. */
function asJourneys(requests: readonly Recorded[], start = START): readonly Journey[] {
  const records = requests.map(
    ({ method, path, status, user_agent }, i): FlightRecord => ({
      time: new Date(start + i * BETWEEN + TOOK).toISOString(),
      request: `req-${start}-${i}`,
      daemon: 'metadata-proxy',
      from: '10.0.0.9',
      method,
      path,
      status,
      bytes: 10,
      stages: {},
      milliseconds: TOOK,
      userAgent: user_agent,
    }),
  )
  return journeys(records)
}

const one = (path: string, status = 200): Recorded => ({ method: 'GET', path, status, user_agent: 'curl/8' })

function boot(all: readonly Journey[], lease?: number): Boot {
  return lastBoot(all, lease) ?? assert.fail('there is no boot')
}

const told = ({ events }: Boot) => events.map(({ at, took, kind, text }) => `${at} +${took} ${kind} ${text}`)

describe('a recorded first boot', () => {
  for (const { name, cloud_init, source, requests } of runs)
    it(`of cloud-init ${cloud_init} (${name}) is recognised, told whole, and lacks nothing`, () => {
      const found = boot(asJourneys(requests))
      const [contact] = found.events.filter(({ kind }) => kind === 'contact')
      const kind = source.startsWith('DataSourceEc2') ? 'EC2' : 'OpenStack'
      const version = /^[\d.]*\d/.exec(cloud_init)?.[0]
      assert.equal(contact?.text, `cloud-init (${kind}) ${version} recognised`)
      const asked = found.events.filter((event) => event.kind === 'document' || event.kind === 'failure')
      assert.deepEqual(
        asked.map(({ at, text }) => [at, text.split('  ')[0]]),
        requests.map(({ method, path, status }, i) => [i * BETWEEN, `${method} ${path} ${status}`]),
      )
      assert.equal(
        found.events.filter((event) => event.kind === 'failure').length,
        requests.filter(({ status }) => status >= 400).length,
      )
      const [verdict] = judge(found.session)
      assert.deepEqual(verdict?.lacks, [])
    })
})

describe('the events of a boot', () => {
  it('begin with the lease it was given', () => {
    const found = boot(asJourneys([one('/a')]), START - 1_500)
    assert.equal(found.began, new Date(START - 1_500).toISOString())
    assert.deepEqual(told(found), ['0 +0 lease DHCP lease', '1500 +4 document GET /a 200'])
  })

  it('do not begin with one of another boot, or a renewed one', () => {
    for (const lease of [START - 10 * 60_000, START + 5])
      assert.equal(boot(asJourneys([one('/a')]), lease).events.length, 1)
  })

  it('have the silences in which a guest waits', () => {
    const found = boot([...asJourneys([one('/a', 503)]), ...asJourneys([one('/a')], START + 10_000)])
    assert.deepEqual(told(found), [
      '0 +4 failure GET /a 503',
      '4 +9996 silence silence',
      '10000 +4 document GET /a 200',
    ])
  })

  it('are of the last boot only', () => {
    const found = boot([...asJourneys([one('/old')]), ...asJourneys([one('/new')], START + 300_000)])
    assert.deepEqual(told(found), ['0 +4 document GET /new 200'])
  })

  it('are none when nothing was asked', () => assert.equal(lastBoot([], START), undefined))
})

describe('the drawing', () => {
  const hostile = one('/<script>&amp;"\u001b[2J')
  const found = boot(asJourneys([one('/a'), hostile, ...(runs[0]?.requests ?? [])]), START - 200)

  it('has a line for each event and moves nobody’s cursor', () => {
    const lines = drawBoot(found, (_, text) => text)
    assert.equal(lines.length, found.events.length)
    assert.match(lines[0] ?? '', /^ {3}0\.000 s {2}◆ .* DHCP lease$/)
    assert.match(lines[2] ?? '', /GET \/<script>&amp;"\?\[2J 200$/)
    assert.doesNotMatch(lines.join(''), /\p{Cc}/u)
    const marks = new Set(lines.map((line) => line.search(/[◆●▪✕·] (?:DHCP|GET|cloud-init|silence)/u)))
    assert.equal(marks.size, 1, 'the texts stand below one another')
  })

  it('as SVG is well-formed, whatever was asked', () => {
    const svg = bootSvg('web<1>&', found)
    assertWellFormed(svg)
    assert.equal([...svg.matchAll(/<rect /g)].length, found.events.length + 1)
    assert.match(svg, /web&lt;1&gt;&amp;/)
    assert.doesNotMatch(svg, /<script|NaN|Infinity|undefined/)
    const [, height] = /viewBox="0 0 \d+ (\d+)"/.exec(svg) ?? []
    const lowest = Math.max(...[...svg.matchAll(/ y="([\d.]+)"/g)].map(([, y]) => Number(y)))
    assert.ok(lowest < Number(height), 'all of it is in the picture')
  })
})

/** As much of XML as a drawing has: every element is closed in order, attributes are quoted, text has no bare signs. */
function assertWellFormed(xml: string): void {
  const open: string[] = []
  const rest = xml.replace(/<(\/?)([a-z]+)((?: [\w:-]+="[^"<&]*")*)(\/?)>/g, (_, closing, name, __, empty) => {
    if (closing) assert.equal(open.pop(), name)
    else if (!empty) open.push(name)
    return ''
  })
  assert.deepEqual(open, [])
  assert.doesNotMatch(rest.replace(/&(?:amp|lt|gt|quot);/g, ''), /[<>&]/)
}
