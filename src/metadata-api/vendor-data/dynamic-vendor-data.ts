import type { VendorDataEntry } from '../../documents/context.ts'
import { UNKNOWN_ERROR } from '../../http/error-page.ts'
import { MetadataError } from '../../http/errors.ts'
import { type Poster, PostFailed } from '../../http/post.ts'
import type { InstanceId } from '../../inventory/records/ids.ts'
import type { Instance } from '../../inventory/records/instance.ts'
import type { Log } from '../../observe/log.ts'
import { type Meaning, readAnswer } from './answer.ts'
import { openPlaces } from './places.ts'
import { VENDOR_DATA_HEADERS, vendorDataRequest } from './request.ts'
import { shownUrl, type Target } from './targets.ts'

export interface DynamicVendorDataDeps {
  readonly targets: readonly Target[]
  readonly poster: Poster
  /** A failing target fails the document; otherwise the guest reads `{}` in its place. */
  readonly isFailureFatal: boolean
  /** How long a question waits while too many others are with the same target. */
  readonly patienceMilliseconds: number
  readonly now: () => Date
  readonly log: Log
}

/** DynamicJSON: services of the operator that are asked about each instance whenever it reads vendor_data2.json. */
export interface DynamicVendorData {
  /**
   * Asks all targets at once. Questions about an instance that is being asked about already share that round.
   * @returns the answers in the order of the targets
   * @throws VendorDataFailed when a target failed and that is fatal
   * @throws NoPlace when too many are being asked about: come again
   */
  readonly ask: (instance: Instance) => Promise<readonly VendorDataEntry[]>
  /** What each target last did about each instance, oldest first. Old ones are forgotten. */
  readonly vendorDataResults: () => readonly VendorDataResult[]
}

/** How it went with one target and one instance. Holds nothing of what was said but its length. */
export interface VendorDataResult {
  readonly instanceId: InstanceId
  readonly target: string
  /** Without user, password and query. */
  readonly url: string
  /** null: no whole answer. */
  readonly status: number | null
  readonly bytes: number | null
  readonly milliseconds: number
  /** null: the guest reads what the target answered. */
  readonly error: string | null
  /** ISO 8601, when the question was put. */
  readonly at: string
}

/** A target failed, and the operator wants no document without it. The guest hears what Nova's clients would. */
export class VendorDataFailed extends MetadataError {
  override readonly name = 'VendorDataFailed'
  readonly status = 500
  readonly code = 'vendor-data-failed'
  constructor() {
    super(UNKNOWN_ERROR)
  }
}

/** Questions to one target at a time. A Nova of Debian has 256 threads for all its work. */
const PLACES = 128
/** Results that are remembered. */
const RESULTS = 10_000

export function openDynamicVendorData(deps: DynamicVendorDataDeps): DynamicVendorData {
  const { poster, isFailureFatal, patienceMilliseconds, now, log } = deps
  const targets = deps.targets.map((target) => ({ ...target, places: openPlaces(PLACES) }))
  const results = openResults()
  // A change of the inventory makes another object, which is asked about anew.
  const rounds = new WeakMap<Instance, Promise<readonly VendorDataEntry[]>>()

  async function askOne({ name, url, places }: (typeof targets)[number], instance: Instance, body: string) {
    const leave = await places.take(patienceMilliseconds)
    const at = now().toISOString()
    const started = performance.now()
    const { status, bytes, meaning } = await answerOf(url, body, poster).finally(leave)
    const result = {
      instanceId: instance.id,
      target: name,
      url: shownUrl(url),
      status,
      bytes,
      milliseconds: Math.round(performance.now() - started),
      error: 'error' in meaning ? meaning.error : null,
      at,
    }
    results.remember(result)
    if (result.error === null) log.debug(result, 'a vendor data target answered')
    else log.warn(result, 'a vendor data target failed')
    return { name, meaning }
  }

  async function round(instance: Instance): Promise<readonly VendorDataEntry[]> {
    const body = vendorDataRequest(instance)
    await poster.ready
    const answers = await Promise.all(targets.map((target) => askOne(target, instance, body)))
    if (isFailureFatal && answers.some(({ meaning }) => 'error' in meaning)) throw new VendorDataFailed()
    return answers.map(({ name, meaning }) => [name, 'value' in meaning ? meaning.value : {}])
  }

  return {
    ask(instance) {
      const running = rounds.get(instance)
      if (running !== undefined) return running
      const started = round(instance).finally(() => rounds.delete(instance))
      rounds.set(instance, started)
      return started
    },
    vendorDataResults: results.all,
  }
}

interface Answer {
  readonly status: number | null
  readonly bytes: number | null
  readonly meaning: Meaning
}

async function answerOf(url: string, body: string, poster: Poster): Promise<Answer> {
  try {
    const posted = await poster.post(url, VENDOR_DATA_HEADERS, body)
    return { status: posted.status, bytes: posted.body.length, meaning: readAnswer(posted) }
  } catch (error) {
    if (!(error instanceof PostFailed)) throw error
    return { status: null, bytes: null, meaning: { error: error.message } }
  }
}

/** The last result of each target for each instance, as many as may be remembered. */
function openResults() {
  const results = new Map<string, VendorDataResult>()
  return {
    remember(result: VendorDataResult): void {
      const key = `${result.instanceId} ${result.target}`
      results.delete(key)
      results.set(key, result)
      const [oldest] = results.keys()
      if (results.size > RESULTS && oldest !== undefined) results.delete(oldest)
    },
    all: (): readonly VendorDataResult[] => [...results.values()],
  }
}
