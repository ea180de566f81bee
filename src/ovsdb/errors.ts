/** The server said something that RFC 7047 does not allow here, or that we take no more of. The connection ends. */
export class ProtocolError extends Error {
  override readonly name: string = 'ProtocolError'
}

/** The connection ended: by the other side, by a probe without an answer, by a protocol error, by us. */
export class Disconnected extends Error {
  override readonly name: string = 'Disconnected'
}

/** There is no connection now, so nothing was sent. */
export class NotConnected extends Error {
  override readonly name: string = 'NotConnected'
}

/** The connection ended between a transaction and its reply: it may have been carried out or not. */
export class UnknownOutcome extends Error {
  override readonly name: string = 'UnknownOutcome'
}

/** The tables we were asked for do not fit the server's schema. */
export class SchemaMismatch extends Error {
  override readonly name: string = 'SchemaMismatch'
}

/** The server refused a request. `code` is its short text, such as `unknown method` or `unknown database`. */
export class RequestRefused extends Error {
  override readonly name: string = 'RequestRefused'
  readonly code: string

  constructor(method: string, error: unknown) {
    const { code, details } = describeError(error)
    super(`The OVSDB server refused ${method}: ${details}`)
    this.code = code
  }
}

/** The server carried out nothing of a transaction. `code` is one of RFC 7047's texts (`constraint violation`,
 *  `referential integrity violation`, `timed out`, `not owner`, `aborted`, …) or the server's own (`permission error`). */
export class TransactionFailed extends Error {
  override readonly name: string = 'TransactionFailed'
  readonly code: string
  /** Which operation, from 0; undefined when it is the commit of them all that failed. */
  readonly operation: number | undefined

  constructor(operation: number | undefined, description: string, error: unknown) {
    const { code, details } = describeError(error)
    super(`${description}: ${details}`)
    this.code = code
    this.operation = operation
  }
}

/** An `<error>` of RFC 7047, or the bare text that some servers send in its place. */
function describeError(error: unknown): { readonly code: string; readonly details: string } {
  if (typeof error !== 'object' || error === null) return { code: String(error), details: String(error) }
  const { error: code, details } = error as { readonly error?: unknown; readonly details?: unknown }
  return { code: String(code), details: details === undefined ? String(code) : `${code}: ${details}` }
}
