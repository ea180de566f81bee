import { type BoundTable, presentColumns } from './bound-table.ts'
import type { WireClause } from './condition.ts'

/** All rows, no row, or those for which at least one clause holds. */
export type WantedCondition = boolean | readonly WireClause[]

/** A request that carries conditions. */
export interface ConditionRequest {
  /** `<condition>` of ovsdb-server(7) for a table. Pure. */
  where(bound: BoundTable): readonly unknown[]
  /** The server has done it. @param isConditional  false when it took the request without conditions */
  done(isConditional: boolean): void
}

/** Which conditions are wanted, which of them the server was asked for, and which it has carried out. */
export interface Conditions {
  /** @param isMet  it will never be sent: the server knows no conditions @returns when it is carried out */
  want(table: string, condition: WantedCondition, isMet: boolean): Promise<void>
  /** The conditions to start a monitor with: those wanted, or those that the rows in memory are of. */
  begin(isFromNothing: boolean): ConditionRequest
  /** What is wanted and not asked for; undefined when that is nothing, or while an earlier change is under way. */
  beginChange(): (ConditionRequest & { readonly tables: readonly string[] }) | undefined
  /** @returns whether a change was under way */
  stop(): boolean
  close(reason: Error): void
}

interface Waiter {
  readonly version: number
  readonly resolve: () => void
  readonly reject: (reason: Error) => void
}

type Wanted = ReadonlyMap<string, WantedCondition>

export function createConditions(): Conditions {
  let wanted: Wanted = new Map()
  let carriedOut: Wanted = new Map()
  let version = 0 // of what is wanted; counts the calls
  let carriedOutVersion = 0
  let isUnderWay = false
  let closed: Error | undefined
  let waiters: readonly Waiter[] = []

  function reached(reachedVersion: number): void {
    carriedOutVersion = Math.max(carriedOutVersion, reachedVersion)
    for (const waiter of waiters) if (waiter.version <= carriedOutVersion) waiter.resolve()
    waiters = waiters.filter((waiter) => waiter.version > carriedOutVersion)
  }

  function request(asked: Wanted, askedVersion: number): ConditionRequest {
    return {
      where: (bound) => encode(asked.get(bound.table.name) ?? true, bound),
      done(isConditional) {
        isUnderWay = false
        carriedOut = asked
        reached(isConditional ? askedVersion : version)
      },
    }
  }

  return {
    want(table, condition, isMet) {
      if (closed !== undefined) return Promise.reject(closed)
      version += 1
      wanted = new Map(wanted).set(table, condition)
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      waiters = [...waiters, { version, resolve, reject }]
      if (isMet) reached(version)
      return promise
    },

    begin: (isFromNothing) => (isFromNothing ? request(wanted, version) : request(carriedOut, carriedOutVersion)),

    beginChange() {
      if (isUnderWay || carriedOut === wanted) return undefined
      isUnderWay = true
      const tables = [...wanted.keys()].filter((table) => !isSame(wanted.get(table), carriedOut.get(table)))
      return { ...request(wanted, version), tables }
    },

    stop() {
      const was = isUnderWay
      isUnderWay = false
      return was
    },

    close(reason) {
      closed = reason
      for (const { reject } of waiters) reject(reason)
      waiters = []
    },
  }
}

function isSame(a: WantedCondition | undefined, b: WantedCondition | undefined): boolean {
  return JSON.stringify(a ?? true) === JSON.stringify(b ?? true)
}

/** An empty condition would mean every row to the server, so "none of these" is said as false. A column that the server
 *  does not have can have no such value. */
function encode(condition: WantedCondition, bound: BoundTable): readonly unknown[] {
  if (typeof condition === 'boolean') return [condition]
  const columns = new Set(['_uuid', ...presentColumns(bound)])
  const clauses = condition.filter(([column]) => columns.has(column))
  return clauses.length === 0 ? [false] : clauses
}
