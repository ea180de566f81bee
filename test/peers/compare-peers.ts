import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Comparison, type Finding } from './comparison.ts'
import type { Deviation } from './deviations.ts'
import { drawInstance, printInputs, type Sample } from './inputs.ts'
import { agentFields, oddRequest } from './odd-requests.ts'
import { passwordSequence } from './password-sequence.ts'
import { Random } from './random.ts'
import { startRealNova } from './real-nova.ts'
import { serveOurs } from './services.ts'
import { walk } from './walk.ts'
import { Wire } from './wire.ts'

/** What a run has to say. */
export interface Compared {
  readonly release: string
  readonly instances: number
  readonly requests: number
  readonly findings: readonly Finding[]
  /** How often each was met. */
  readonly met: ReadonlyMap<Deviation, number>
}

/** Bent paths, methods, Accept headers and credentials, for each instance. */
const ODD_REQUESTS = 60
/** Nova without its cache reads its database for each request, so not all instances post passwords. */
const PASSWORD_INSTANCES = 40

/** Parts of the random sequence of one instance, apart from those of its aspects. */
const REQUESTS = 1000
const PASSWORDS = 1001

/** @param scripts  the folder `nova` of the peers @param say  remarks on progress */
export async function comparePeers(
  scripts: string,
  samples: readonly Sample[],
  say: (line: string) => void,
): Promise<Compared> {
  const directory = mkdtempSync(join(tmpdir(), 'firstboot-peers-'))
  const drawn = samples.map((sample) => ({ ...sample, instance: drawInstance(sample) }))
  const inputs = printInputs(drawn.map(({ instance }) => instance))
  try {
    say(`the real Nova is started with ${drawn.length} instances`)
    const nova = await startRealNova(scripts, directory, inputs)
    const ours = await serveOurs(inputs, nova.ec2Ids)
    const wires = { nova: new Wire(nova.port), ours: new Wire(ours.port ?? 0) }
    const comparison = new Comparison(wires.nova, wires.ours)
    try {
      for (const [done, { seed, number, instance }] of drawn.entries()) {
        if (done % 20 === 0) say(`${done} instances, ${comparison.requests} requests`)
        const random = new Random(seed, number, REQUESTS)
        const fields = agentFields(instance, random)
        const paths = await walk((asked) => comparison.ask(instance.case, { ...asked, fields }))
        for (let n = 0; n < ODD_REQUESTS; n += 1) {
          await comparison.ask(instance.case, oddRequest(random, paths, fields))
        }
      }
      say('passwords, with Nova’s cache off')
      await nova.restartWithoutCache()
      for (const { seed, number, instance } of drawn.slice(0, PASSWORD_INSTANCES)) {
        const random = new Random(seed, number, PASSWORDS)
        for (const asked of passwordSequence(random, agentFields(instance, random))) {
          await comparison.ask(instance.case, asked)
        }
      }
    } finally {
      for (const wire of Object.values(wires)) wire.close()
      await ours.close()
      await nova.stop()
    }
    const { requests, findings, met } = comparison
    return { release: nova.release, instances: drawn.length, requests, findings, met }
  } finally {
    rmSync(directory, { recursive: true })
  }
}
