import { ProtocolError, TransactionFailed } from './errors.ts'
import type { Operation } from './operation.ts'
import { record } from './schema.ts'

/** What a transaction of these operations gives, one by one. */
export type Results<O extends readonly Operation<unknown>[]> = {
  [Index in keyof O]: O[Index] extends Operation<infer R> ? R : never
}

/**
 * The results of a transaction, once every element of the reply has been looked at: the server carries out all or
 * nothing, but reports an error at its place, null for what it did not come to, and what failed at the commit as one
 * element more than there were operations.
 * @throws TransactionFailed, ProtocolError
 */
export function readResults<const O extends readonly Operation<unknown>[]>(operations: O, reply: unknown): Results<O> {
  if (!Array.isArray(reply)) throw new ProtocolError('The reply to a transaction is no array')
  const failed = reply.findIndex((element) => typeof element === 'object' && element !== null && 'error' in element)
  if (failed >= 0)
    throw failure(operations, failed, (reply[failed] as { readonly error: unknown }).error && reply[failed])
  if (reply.length < operations.length || reply.slice(0, operations.length).includes(null))
    throw new ProtocolError('The reply to a transaction leaves out operations without an error')
  return operations.map((operation, i) => operation.read(record(reply[i], 'The result of an operation'))) as Results<O>
}

function failure(operations: readonly Operation<unknown>[], at: number, error: unknown): TransactionFailed {
  const operation = operations[at]
  if (operation === undefined) return new TransactionFailed(undefined, 'The transaction could not be committed', error)
  const { op, table } = operation.wire
  return new TransactionFailed(at, `Operation ${at} (${[op, table].filter(Boolean).join(' ')}) failed`, error)
}
