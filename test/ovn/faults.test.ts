import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { noSandbox } from '../support/datapath-machine.ts'
import { FLOW_INJECTIONS } from '../support/patients/of-ovn-flows.ts'
import { HOST_INJECTIONS } from '../support/patients/of-ovn-host.ts'
import { PORT_INJECTIONS } from '../support/patients/of-ovn-ports.ts'
import { SERVICE_INJECTIONS } from '../support/patients/of-ovn-services.ts'
import type { OvnInjection } from '../support/patients/ovn-injection.ts'
import { GUESTS, instanceOf, type OvnWard, openOvnWard, RED, SIX } from '../support/patients/ovn-ward.ts'

// A real OVN with a daemon of ours on each of two chassis (test/support/patients/ovn-ward.ts). Faults are injected and
// healed one by one; each that is not everybody's has a neighbour that must stay healthy.

const seen: (OvnInjection & { readonly path: string; readonly verdict: string; readonly seconds: string })[] = []

describe('firstboot explain on OVN', { skip: noSandbox }, () => {
  let ward: OvnWard
  before(async () => {
    ward = await openOvnWard()
  })
  after(() => ward?.close())

  it('names nothing where nothing is wrong, and follows the questions of guests by the families that they have', async () => {
    const by = { ipv4: '169.254.169.254', ipv6: 'fe80::a9fe:a9fe' } as const
    const way = (family: keyof typeof by, guest: string, port: string) =>
      `${by[family]}: request reaches ${port}, answer reaches ${guest}`
    const traces: Readonly<Record<string, readonly string[]>> = {
      'shop-1': [],
      'red-1': [way('ipv4', 'red-1', `meta-${RED}`)],
      'six-1': [way('ipv6', 'six-1', `meta-${SIX}`)],
      'both-1': [way('ipv4', 'both-1', `meta-${SIX}`), way('ipv6', 'both-1', `meta-${SIX}`)],
    }
    const healthy = async ([name, wanted]: readonly [string, readonly string[]]) => {
      const { findings, exitCode, steps } = await ward.explain(name)
      assert.deepEqual(findings, [], name)
      assert.equal(exitCode, 0)
      if (wanted.length > 0) assert.equal(steps.find(({ id }) => id === 'trace')?.observed, wanted.join('; '))
    }
    // Two at a time, as below: more would make each other slow, which is a fault.
    const [shop, red, six, both] = Object.entries(traces)
    assert.ok(shop && red && six && both)
    await Promise.all([shop, red].map(healthy))
    await Promise.all([six, both].map(healthy))
  })

  it('says of a guest of another chassis that it is there, and claims no more', async () => {
    const { findings, verdict, exitCode } = await ward.explain('far')
    assert.deepEqual(
      findings.map(({ id }) => id),
      ['port-elsewhere'],
    )
    assert.deepEqual([verdict, exitCode], ['unknown', 3])
  })

  it('knows a guest of Neutron’s by address, MAC address and instance, and asks which where there are several', async () => {
    const [red, blue] = GUESTS.filter(({ address }) => address === '10.88.0.11')
    assert.ok(red && blue)
    await Promise.all([
      assert.rejects(ward.explain(red.address), /2 ports have 10\.88\.0\.11; name one.*blue-1.*red-1/s),
      assert.rejects(ward.explain('10.88.0.99'), /the Southbound has no port 10\.88\.0\.99/),
    ])
    const two = await Promise.all([ward.explain(red.address, `--network=${red.network}`), ward.explain(red.mac)])
    for (const { steps, exitCode } of [...two, await ward.explain(instanceOf(red))]) {
      assert.match(steps.find(({ id }) => id === 'record')?.observed ?? '', / port red-1, 10\.88\.0\.11 on net-da5b/)
      assert.equal(exitCode, 0)
    }
  })

  it('is believed by doctor, which names what others leave', async () => {
    const { neutrons } = ward
    assert.deepEqual(await ward.doctor(), [])
    const mark = 'external_ids:firstboot=firstboot:/gone'
    neutrons.machine.run('ip', 'netns', 'add', 'ovnmeta-left')
    await neutrons.vsctl('add-br', 'br-left', '--', 'add-port', 'br-left', 'gone0', '--', 'set', 'Port', 'gone0', mark)
    const told = (await ward.doctor()).join('\n')
    await neutrons.vsctl('del-br', 'br-left')
    neutrons.machine.run('ip', 'netns', 'delete', 'ovnmeta-left')
    assert.match(told, /warning ovn\/leftovers namespace ovnmeta-left is not ours/)
    assert.match(told, /warning ovn\/leftovers port gone0 of Open vSwitch is of \/gone, on which nobody runs/)
  })

  for (const injection of HOST_INJECTIONS)
    it(`names ${injection.fault}: ${injection.how}`, () => injected(ward, 'ovn', injection))

  for (const injection of [...PORT_INJECTIONS, ...FLOW_INJECTIONS, ...SERVICE_INJECTIONS])
    it(`names ${injection.fault} in a cloud of Neutron’s: ${injection.how}`, () => injected(ward, 'ml2/ovn', injection))
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

async function injected(ward: OvnWard, path: string, injection: OvnInjection): Promise<void> {
  const inject = async () => {
    await injection.inject(ward)
    await diagnose(ward, path, injection)
  }
  const diagnosed = inject()
  const heal = () => injection.heal(ward)
  const [said, healed] = await Promise.allSettled([diagnosed, diagnosed.then(heal, heal)])
  // What was said first is told, also when nothing can be healed after it.
  if (said.status === 'rejected') throw said.reason
  if (healed.status === 'rejected') throw healed.reason
}

async function diagnose(ward: OvnWard, path: string, injection: OvnInjection): Promise<void> {
  const { fault, also = [], patient, neighbour } = injection
  const [ill, well] = await Promise.all([
    ward.explain(patient),
    neighbour === undefined ? undefined : ward.explain(neighbour),
  ])
  const first = ill.findings[0]
  const seconds = (ill.milliseconds / 1_000).toFixed(1)
  seen.push({ ...injection, path, verdict: `${ill.verdict}: ${first?.id}`, seconds })
  assert.equal(first?.id, fault, JSON.stringify(ill.findings, null, 1))
  const named = ill.findings.map(({ id }) => id)
  assert.deepEqual(
    also.filter((id) => !named.includes(id)),
    [],
    `${named.join(', ')} were named`,
  )
  for (const { observed } of ill.findings) assert.doesNotMatch(observed, /(unix:\S+).*\1/, 'a place is told twice')
  assert.equal(ill.exitCode, first.severity === 'broken' ? 1 : 0)
  assert.deepEqual(well?.findings.filter(({ severity }) => severity === 'broken') ?? [], [], 'the neighbour is healthy')
}
