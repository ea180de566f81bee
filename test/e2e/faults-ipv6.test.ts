import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { eventually } from '../support/eventually.ts'
import { newDiagnoses } from '../support/patients/diagnose.ts'
import { IPV6_INJECTIONS, IPV6_INVENTORY, lease6, renewLinkLocal, settled } from '../support/patients/of-ipv6.ts'
import { openWard, plugIn, type Ward } from '../support/patients/ward.ts'

// Guests without IPv4, and one with both families:
//
//   six-1, six-2 ── fd00:6::/64 ── qdhcp (dnsmasq)      rad-1 ── fd00:7::/64 ──────────────── qrouter (radvd)
//                                                       dual-1 ── 10.8.0.0/24, fd00:8::/64 ──┘

const diagnoses = newDiagnoses()
after(diagnoses.print)

describe('firstboot explain names, of guests with IPv6,', () => {
  let ward: Ward
  before(async () => {
    ward = await openWard(IPV6_INVENTORY, 'up')
    await ward.daemon('up').saying('firstboot is up')
    for (const name of ['six-1', 'six-2', 'rad-1', 'dual-1']) plugIn(ward, name)
    ward.lease('dual-1')
    for (const name of ['six-1', 'six-2', 'rad-1', 'dual-1']) await settled(ward, name)
    for (const name of ['six-1', 'six-2']) lease6(ward, name)
    for (const [name, prefix] of [
      ['rad-1', 'fd00:7:'],
      ['dual-1', 'fd00:8:'],
    ] as const)
      await eventually(`${name} has its address`, () => ward.run('ip', '-n', name, '-6', 'address').includes(prefix))
  })
  after(() => ward?.close())

  for (const name of ['six-1', 'rad-1', 'dual-1'])
    it(`nothing where nothing is wrong: ${name}`, async () => {
      const { findings, exitCode, steps } = await ward.explain(name)
      assert.deepEqual(findings, [])
      assert.equal(exitCode, 0)
      const unseen = steps.filter(({ state }) => state === 'unknown').map(({ id }) => id)
      assert.deepEqual(unseen, [], 'what is not there is not called unknown')
    })

  it('nothing where the guest thinks up its link-local address, which the neighbour table tells whose it is', async () => {
    await renewLinkLocal(ward, 'random')
    const { findings } = await ward.explain('six-1')
    await renewLinkLocal(ward, 'eui64')
    assert.deepEqual(findings, [])
  })

  for (const injection of IPV6_INJECTIONS)
    it(`${injection.fault} (${injection.path}): ${injection.how}`, () => diagnoses.injected(ward, injection))
})
