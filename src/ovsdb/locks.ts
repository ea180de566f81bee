import { randomInt } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { ProtocolError } from './errors.ts'
import type { Rpc } from './rpc.ts'
import { record } from './schema.ts'

export interface LockOptions {
  /** Take it from whoever holds it. Only at once: on a later connection we wait in line. */
  readonly steal?: boolean
  readonly onChange?: (isHeld: boolean) => void
}

/** A lock of the server (RFC 7047, section 4.1.8), asked for anew on every connection. */
export interface Lock {
  readonly name: string
  /** As far as we know. A transaction that must not happen without it starts with `assertLock`. */
  readonly isHeld: boolean
  /** Gives it up, or leaves the line. */
  release(): Promise<void>
}

/** From, and below. */
const AGAIN_MILLISECONDS = [20, 100] as const

export interface Locks {
  lock(name: string, options?: LockOptions): Lock
  /** @throws what the requests throw; RangeError when we ask for this lock ourselves */
  isTaken(rpc: Rpc, name: string): Promise<boolean>
  /** @throws what the requests throw */
  start(rpc: Rpc): Promise<void>
  receive(method: string, params: readonly unknown[]): void
  /** The connection has ended, and every lock with it. */
  stop(): void
}

interface Wanted {
  readonly onChange: (isHeld: boolean) => void
  isHeld: boolean
  steals: boolean
}

export function createLocks(): Locks {
  const wanted = new Map<string, Wanted>()
  let current: Rpc | undefined

  function change(name: unknown, isHeld: boolean): void {
    const lock = wanted.get(String(name))
    if (lock === undefined || lock.isHeld === isHeld) return
    lock.isHeld = isHeld
    lock.onChange(isHeld)
  }

  async function ask(rpc: Rpc, name: string, lock: Wanted): Promise<void> {
    const method = lock.steals ? 'steal' : 'lock'
    lock.steals = false
    await rpc.call(method, [name], (result) => change(name, isLocked(result)))
  }

  return {
    lock(name, { steal = false, onChange = () => {} } = {}) {
      if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) throw new RangeError(`${name} cannot be the name of a lock`)
      if (wanted.has(name)) throw new RangeError(`This client already asks for lock ${name}`)
      const lock: Wanted = { onChange, isHeld: false, steals: steal }
      wanted.set(name, lock)
      const rpc = current
      if (rpc !== undefined) ask(rpc, name, lock).catch((error) => rpc.end(error))
      return {
        name,
        get isHeld() {
          return lock.isHeld
        },
        async release() {
          if (wanted.get(name) !== lock) return
          wanted.delete(name)
          lock.isHeld = false
          await current?.call('unlock', [name], () => {})
        },
      }
    },

    // No request asks who has a lock. These two are sent together: a lock that was free is ours until the server has read the
    // second, and whoever came in between has it then.
    async isTaken(rpc, name) {
      if (wanted.has(name)) throw new RangeError(`This client already asks for lock ${name}`)
      const look = async () => {
        const [isOurs] = await Promise.all([rpc.call('lock', [name], isLocked), rpc.call('unlock', [name], () => {})])
        return !isOurs
      }
      if (!(await look())) return false
      // Who has it may be somebody who asks the same. Then only chance keeps two apart.
      await pause(randomInt(...AGAIN_MILLISECONDS))
      return look()
    },

    async start(rpc) {
      current = rpc
      await Promise.all([...wanted].map(([name, lock]) => ask(rpc, name, lock)))
    },

    receive(method, [name]) {
      if (method === 'locked') change(name, true)
      else if (method === 'stolen') change(name, false)
    },

    stop() {
      current = undefined
      for (const name of wanted.keys()) change(name, false)
    },
  }
}

function isLocked(result: unknown): boolean {
  const { locked } = record(result, 'The reply to a lock')
  if (typeof locked !== 'boolean') throw new ProtocolError('The reply to a lock does not say whether it is locked')
  return locked
}
