import { isDeepStrictEqual } from 'node:util'
import { Backoff } from '../host/backoff.ts'
import { HostError } from '../host/errors.ts'
import type { Guest, GuestState } from '../host/guest.ts'
import type { InstanceId } from '../inventory/records/ids.ts'
import type { RecordSet } from '../inventory/records/records.ts'
import type { Inventory } from '../inventory/store.ts'
import type { Log } from '../observe/log.ts'

/** Runs instances on this host. */
export interface Hypervisor<G extends Guest = Guest> {
  /** All of which something is left here, whoever started them. */
  known(): Promise<ReadonlyMap<InstanceId, GuestState<G>>>
  /** What is left of an earlier start is taken away first. */
  start(guest: G): Promise<void>
  /** Plugs a running instance in again, which does not notice. */
  attach(guest: G): Promise<void>
  /** Ends the instance and takes away what it needed to run. Nothing to do when it is gone. */
  stop(id: InstanceId): Promise<void>
  /** Takes away what outlives a stop (disks, config drives): the server is no more. */
  forget?(id: InstanceId): Promise<void>
}

/** Which instances a hypervisor is to run, of those the inventory names. Pure. */
export type Wanted<G extends Guest> = (records: RecordSet) => readonly G[]

/** Keeps the instances that run equal to those the inventory names. */
export interface Keeper {
  /** Resolves when everything that could be started runs; from the first call on it is repeated every 2 s. Never
   *  rejects: what fails is logged and tried again. */
  look(): Promise<void>
  /** Ends following inventory and instances; the instances go on. */
  close(): void
  /** Ends every instance, and what is left of those that ended by themselves. */
  stopAll(): Promise<void>
}

/** Nobody tells when an instance dies or a bridge is deleted. */
const PERIOD_MILLISECONDS = 2_000

export function keepGuests<G extends Guest>(
  inventory: Pick<Inventory, 'records' | 'onChange'>,
  wanted: Wanted<G>,
  hypervisor: Hypervisor<G>,
  log: Log,
  periodMilliseconds: number = PERIOD_MILLISECONDS,
): Keeper {
  const backoff = new RestartBackoff()
  let queue = Promise.resolve()
  let waiting = 0
  let isClosed = false
  let timer: NodeJS.Timeout | undefined
  const enqueue = () => {
    waiting += 1
    queue = queue.then(async () => {
      await attempt(log, {}, 'looking after the instances', () =>
        lookOnce(inventory, wanted, hypervisor, backoff, log, () => isClosed),
      )
      waiting -= 1
    })
    return queue
  }
  const unfollow = inventory.onChange((nouns) => {
    if (nouns.has('server') || nouns.has('port') || nouns.has('network')) void enqueue()
  })
  const close = () => {
    isClosed = true
    unfollow()
    clearInterval(timer)
  }
  return {
    look: () => {
      timer ??= setInterval(() => void (waiting === 0 && enqueue()), periodMilliseconds).unref()
      return enqueue()
    },
    close,
    stopAll: async () => {
      close()
      await queue
      await attempt(log, {}, 'stopping the instances', async () => {
        const stopping = [...(await hypervisor.known()).keys()].map((id) =>
          attempt(log, { instance: id }, 'stopping the instance', () => hypervisor.stop(id)),
        )
        await Promise.all(stopping)
      })
    },
  }
}

/** One guest that cannot be started or stopped never keeps the others waiting.
 *  @param isOver  whether what is not begun yet is to be left */
async function lookOnce<G extends Guest>(
  { records }: Pick<Inventory, 'records'>,
  wantedOf: Wanted<G>,
  hypervisor: Hypervisor<G>,
  backoff: RestartBackoff,
  log: Log,
  isOver: () => boolean,
): Promise<void> {
  const wanted = new Map(wantedOf(records).map((guest) => [guest.id, guest]))
  const known = await hypervisor.known()
  const act = async (id: InstanceId, what: string, act: () => Promise<void>) => {
    if (isOver()) return
    if (await attempt(log, { instance: id }, what, act)) log.info({ instance: id }, what)
  }
  for (const id of known.keys()) {
    if (wanted.has(id)) continue
    await act(id, 'stopping the instance', async () => {
      await hypervisor.stop(id)
      if (!records.server.has(id)) await hypervisor.forget?.(id)
    })
  }
  for (const [id, guest] of wanted) {
    const { condition, guest: started } = known.get(id) ?? { condition: 'down' as const, guest: undefined }
    const isSame = isDeepStrictEqual(guest, started)
    if (isSame && condition === 'running') continue
    if (isSame && condition === 'unplugged')
      await act(id, 'plugging the instance in again', () => hypervisor.attach(guest))
    else if (backoff.allows(guest, condition))
      await act(id, 'starting the instance', () => backoff.counting(guest, () => hypervisor.start(guest)))
  }
}

/** Gives a guest that keeps ending, or cannot be started, more and more time between its starts. */
class RestartBackoff {
  readonly #backoff = new Backoff()
  readonly #started = new Set<InstanceId>()

  allows(guest: Guest, condition: GuestState['condition']): boolean {
    if (condition === 'down' && this.#started.delete(guest.id))
      this.#backoff.ended(guest.id, argumentsOf(guest), 'it ended by itself')
    try {
      this.#backoff.check(guest.id, argumentsOf(guest))
      return true
    } catch (error) {
      if (error instanceof HostError) return false
      throw error
    }
  }

  async counting(guest: Guest, start: () => Promise<void>): Promise<void> {
    try {
      await start()
      this.#backoff.started(guest.id)
      this.#started.add(guest.id)
    } catch (error) {
      this.#backoff.failed(guest.id, argumentsOf(guest), String(error))
      throw error
    }
  }
}

/** Equal for equal guests. */
function argumentsOf(guest: Guest): string[] {
  return [JSON.stringify(guest)]
}

/** @returns whether it succeeded; if not, that is logged */
async function attempt(log: Log, of: object, what: string, act: () => Promise<void>): Promise<boolean> {
  try {
    await act()
    return true
  } catch (error) {
    log.error({ ...of, err: error }, `${what} failed`)
    return false
  }
}
