import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { eventually } from '../support/eventually.ts'
import { INJECTIONS, INVENTORY } from '../support/patients/all-in-one.ts'
import { newDiagnoses } from '../support/patients/diagnose.ts'
import { startTarget } from '../support/patients/injection.ts'
import { SPLIT_INJECTIONS, SPLIT_INVENTORY, startHop } from '../support/patients/split.ts'
import { admit, openWard, type Ward } from '../support/patients/ward.ts'

// One machine, two networks, four guests. Faults are injected and healed one by one; each has a neighbour that must stay healthy.
//
//   iso-1, iso-2 ── 10.3.0.0/24, fd00:3::/64 ── qdhcp        rtd-1, rtd-2 ── 10.1.0.0/24 ── qrouter

const diagnoses = newDiagnoses()
const { diagnose, injected } = diagnoses

describe('firstboot explain names', () => {
  let ward: Ward
  before(async () => {
    ward = await openWard(INVENTORY, 'up')
    startTarget(ward)
    const targets = '--vendordata-dynamic-targets=site@http://127.0.0.1:9999/'
    await ward.daemon('up', '--vendordata-providers=StaticJSON,DynamicJSON', targets).saying('firstboot is up')
    admit(ward, ['iso-1', 'iso-2', 'rtd-1', 'rtd-2', 'pair'])
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

  it('what each of several ports is like, and that one is enough', async () => {
    const { port } = ward.patient('pair')
    const [all, one] = await Promise.all([ward.explain('pair'), ward.explain(port)])
    assert.deepEqual(
      all.ports.map(({ verdict, findings }) => [verdict, findings[0]?.id]),
      [
        ['well', undefined],
        ['broken', 'network-down'],
      ],
    )
    assert.equal(all.ports[0]?.port, port)
    assert.deepEqual([all.verdict, all.port, all.exitCode], ['well', port, 0])
    assert.match(
      all.sentence,
      /^pair gets its metadata by its port at 10\.3\.0\.21, but not by the one at 10\.4\.0\.\d+: .+ \[network-down\]\.$/,
    )
    assert.deepEqual(all.findings.map(({ id, severity }) => [id, severity])[0], ['network-down', 'risk'])
    const other = await ward.explain(all.ports[1]?.port ?? '')
    assert.deepEqual([other.verdict, other.exitCode], ['broken', 1])
    assert.deepEqual([one.verdict, one.ports.length, one.exitCode], ['well', 1, 0])
  })

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

after(diagnoses.print)
