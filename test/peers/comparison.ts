import { difference } from './compare.ts'
import { DEVIATIONS, type Deviation } from './deviations.ts'
import type { Answer, Asked, Wire } from './wire.ts'

/** An unexplained difference. */
export interface Finding {
  readonly case: string
  readonly request: string
  readonly difference: string
}

/** Asks both services and keeps count. */
export class Comparison {
  readonly findings: Finding[] = []
  readonly met = new Map<Deviation, number>()
  requests = 0
  readonly #nova: Wire
  readonly #ours: Wire

  constructor(nova: Wire, ours: Wire) {
    this.#nova = nova
    this.#ours = ours
  }

  /** @returns Nova's answer, undefined when it gave none */
  async ask(caseName: string, asked: Asked): Promise<Answer | undefined> {
    const [nova, ours] = await Promise.all([this.#nova.ask(asked), this.#ours.ask(asked)])
    this.requests += 1
    const found = difference(nova, ours)
    if (found !== undefined) {
      const deviation = DEVIATIONS.find(({ explains }) => explains({ asked, nova, ours }))
      if (deviation) this.met.set(deviation, (this.met.get(deviation) ?? 0) + 1)
      else this.findings.push({ case: caseName, request: describe(asked), difference: found })
    }
    return nova === 'closed' ? undefined : nova
  }
}

function describe({ method, target, fields, body }: Asked): string {
  const long = (text: string) => (text.length > 200 ? `${text.slice(0, 80)}... (${text.length})` : text)
  const sent = body === undefined ? [] : [`body of ${body.length} bytes`]
  return [`${method} ${long(target)}`, ...fields.map(([name, value]) => `${name}: ${long(value)}`), ...sent].join(' | ')
}
