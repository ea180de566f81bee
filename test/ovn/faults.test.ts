import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { noSandbox } from '../support/datapath-machine.ts'
import { HOST_INJECTIONS } from '../support/patients/of-ovn-host.ts'
import { PORT_INJECTIONS } from '../support/patients/of-ovn-ports.ts'
import { SERVICE_INJECTIONS } from '../support/patients/of-ovn-services.ts'
import type { OvnInjection } from '../support/patients/ovn-injection.ts'
import { GUESTS, instanceOf, type OvnWard, openOvnWard } from '../support/patients/ovn-ward.ts'

// A real OVN with a daemon of ours on each of two chassis (test/support/patients/ovn-ward.ts). Faults are injected and
// healed one by one; each that is not everybody's has a neighbour that must stay healthy.

const seen: (OvnInjection & { readonly path: string; readonly verdict: string; readonly seconds: string })[] = []

describe('firstboot explain on OVN', { skip: noSandbox }, () => {
  let ward: OvnWard
  before(async () => {
    ward = await openOvnWard()
  })
  after(() => ward?.close())

  it('names nothing where nothing is wrong', async () => {
    for (const name of ['shop-1', 'red-1', 'blue-1']) {
      const { findings, exitCode } = await ward.explain(name)
      assert.deepEqual(findings, [], name)
      assert.equal(exitCode, 0)
    }
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
    await assert.rejects(ward.explain(red.address), /2 ports have 10\.88\.0\.11; name one.*blue-1.*red-1/s)
    await assert.rejects(ward.explain('10.88.0.99'), /the Southbound has no port 10\.88\.0\.99/)
    for (const [wanted, flag] of [[red.address, `--network=${red.network}`], [red.mac], [instanceOf(red)]] as const) {
      const { steps, exitCode } = await ward.explain(wanted, ...(flag === undefined ? [] : [flag]))
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

  for (const injection of [...PORT_INJECTIONS, ...SERVICE_INJECTIONS])
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
  const { fault, patient, neighbour } = injection
  const [ill, well] = await Promise.all([
    ward.explain(patient),
    neighbour === undefined ? undefined : ward.explain(neighbour),
  ])
  const first = ill.findings[0]
  const seconds = (ill.milliseconds / 1_000).toFixed(1)
  seen.push({ ...injection, path, verdict: `${ill.verdict}: ${first?.id}`, seconds })
  assert.equal(first?.id, fault, JSON.stringify(ill.findings, null, 1))
  assert.equal(ill.exitCode, first.severity === 'broken' ? 1 : 0)
  assert.deepEqual(well?.findings.filter(({ severity }) => severity === 'broken') ?? [], [], 'the neighbour is healthy')
}
