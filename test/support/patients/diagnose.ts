import assert from 'node:assert/strict'
import type { Injection } from './injection.ts'
import type { Ward } from './ward.ts'

/** What was broken, and what `firstboot explain` said. */
export interface Diagnoses {
  /** Breaks, asks, mends. */
  injected(ward: Ward, injection: Injection): Promise<void>
  diagnose(ward: Ward, injection: Injection): Promise<void>
  /** For docs/faults/README.md, which keeps it. */
  print(): void
}

export function newDiagnoses(): Diagnoses {
  const seen: (Injection & { readonly verdict: string; readonly seconds: string })[] = []

  const diagnose = async (ward: Ward, injection: Injection): Promise<void> => {
    const { fault, patient, neighbour } = injection
    const [ill, well] = await Promise.all([
      ward.explain(patient),
      neighbour === undefined ? undefined : ward.explain(neighbour),
    ])
    const first = ill.findings[0]
    const seconds = (ill.milliseconds / 1_000).toFixed(1)
    seen.push({ ...injection, verdict: `${ill.verdict}: ${first?.id}`, seconds })
    assert.equal(first?.id, fault, JSON.stringify(ill.findings, null, 1))
    assert.equal(ill.exitCode, first.severity === 'broken' ? 1 : 0)
    if (injection.severity !== undefined) assert.equal(first.severity, injection.severity)
    const broken = well?.findings.filter(({ severity }) => severity === 'broken') ?? []
    assert.deepEqual(broken, [], 'the neighbour is healthy')
  }

  const injected = async (ward: Ward, injection: Injection): Promise<void> => {
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

  const print = () => {
    const rows = seen.map(
      ({ fault, path, how, verdict, seconds }) => `| \`${fault}\` | ${path} | ${how} | ${verdict} | ${seconds} |`,
    )
    const head = ['| Fault | Path | How | Verdict | Seconds |', '|---|---|---|---|---|']
    process.stdout.write(`${[...head, ...rows].join('\n')}\n`)
  }

  return { injected, diagnose, print }
}
