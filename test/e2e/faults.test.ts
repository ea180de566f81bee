import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { eventually } from '../support/eventually.ts'
import { INJECTIONS, INVENTORY } from '../support/patients/all-in-one.ts'
import { type Injection, startTarget } from '../support/patients/injection.ts'
import { SPLIT_INJECTIONS, SPLIT_INVENTORY, startHop } from '../support/patients/split.ts'
import { admit, openWard, type Ward } from '../support/patients/ward.ts'

// One machine, two networks, four guests. Faults are injected and healed one by one; each has a neighbour that must stay healthy.
//
//   iso-1, iso-2 ── 10.3.0.0/24, fd00:3::/64 ── qdhcp        rtd-1, rtd-2 ── 10.1.0.0/24 ── qrouter

const seen: (Injection & { readonly verdict: string; readonly seconds: string })[] = []

describe('firstboot explain names', () => {
  let ward: Ward
  before(async () => {
    ward = await openWard(INVENTORY, 'up')
    startTarget(ward)
    const targets = '--vendordata-dynamic-targets=site@http://127.0.0.1:9999/'
    await ward.daemon('up', '--vendordata-providers=StaticJSON,DynamicJSON', targets).saying('firstboot is up')
    admit(ward, ['iso-1', 'iso-2', 'rtd-1', 'rtd-2'])
  })
  after(() => ward?.close())

  it('nothing where nothing is wrong', async () => {
    for (const name of ['iso-1', 'rtd-1']) {
      const { findings, exitCode } = await ward.explain(name)
      assert.deepEqual(findings, [])
      assert.equal(exitCode, 0)
    }
  })

  for (const injection of INJECTIONS)
    it(`${injection.fault} (${injection.path}): ${injection.how}`, () => injected(ward, injection))

  it('not-running: firstboot up has ended', async () => {
    ward.run('kill', ward.pid('up'))
    await eventually('its namespaces are gone', () => !ward.run('ip', 'netns').includes('qdhcp'))
    await diagnose(ward, { fault: 'not-running', path: 'all', how: 'firstboot up has ended', patient: 'iso-1' })
  })
})

describe('firstboot explain names, of daemons that are processes of their own,', () => {
  let ward: Ward
  before(async () => {
    ward = await openWard(SPLIT_INVENTORY, 'dhcp-agent')
    for (const name of ['metadata-api', 'metadata-agent', 'dhcp-agent']) await startHop(ward, name)
    admit(ward, ['iso-1', 'rtd-1'])
  })
  after(() => ward?.close())

  it('nothing where nothing is wrong', async () => {
    for (const name of ['iso-1', 'rtd-1']) assert.deepEqual((await ward.explain(name)).findings, [])
  })

  for (const injection of SPLIT_INJECTIONS) it(`${injection.fault}: ${injection.how}`, () => injected(ward, injection))
})

/** For docs/faults/README.md, which keeps it. */
after(() => {
  const rows = seen.map(
    ({ fault, path, how, verdict, seconds }) => `| \`${fault}\` | ${path} | ${how} | ${verdict} | ${seconds} |`,
  )
  process.stdout.write(
    `${['| Fault | Path | How | Verdict | Seconds |', '|---|---|---|---|---|', ...rows].join('\n')}\n`,
  )
})

async function injected(ward: Ward, injection: Injection): Promise<void> {
  const inject = async () => {
    await injection.inject?.(ward)
    await diagnose(ward, injection)
  }
  const diagnosed = inject()
  const heal = () => injection.heal?.(ward)
  const [said, healed] = await Promise.allSettled([diagnosed, diagnosed.then(heal, heal)])
  // What was said first is told, also when nothing can be healed after it.
  if (said.status === 'rejected') throw said.reason
  if (healed.status === 'rejected') throw healed.reason
}

async function diagnose(ward: Ward, injection: Injection): Promise<void> {
  const { fault, patient, neighbour } = injection
  const [ill, well] = await Promise.all([
    ward.explain(patient),
    neighbour === undefined ? undefined : ward.explain(neighbour),
  ])
  const first = ill.findings[0]
  seen.push({ ...injection, verdict: `${ill.verdict}: ${first?.id}`, seconds: (ill.milliseconds / 1_000).toFixed(1) })
  assert.equal(first?.id, fault, JSON.stringify(ill.findings, null, 1))
  assert.equal(ill.exitCode, first.severity === 'broken' ? 1 : 0)
  assert.deepEqual(well?.findings.filter(({ severity }) => severity === 'broken') ?? [], [], 'the neighbour is healthy')
}
