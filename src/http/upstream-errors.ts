import { MetadataError } from './errors.ts'

/** The next hop does not accept connections: nobody listens, or the name or path is wrong. Nothing was sent. */
export class Unreachable extends MetadataError {
  override readonly name = 'Unreachable'
  readonly status = 503
  readonly code = 'upstream-unreachable'
  override readonly headers = [['Retry-After', '2']] as const
}

/** More requests wait for the next hop than we keep. */
export class Overloaded extends MetadataError {
  override readonly name = 'Overloaded'
  readonly status = 503
  readonly code = 'overloaded'
  override readonly headers = [['Retry-After', '2']] as const
}

/** The next hop took the request and did not answer in time. */
export class UpstreamTimeout extends MetadataError {
  override readonly name = 'UpstreamTimeout'
  readonly status = 504
  readonly code = 'upstream-timeout'
}

/** The next hop took the request and broke off, or answered in something that is not HTTP. */
export class UpstreamBroken extends MetadataError {
  override readonly name = 'UpstreamBroken'
  readonly status = 502
  readonly code = 'upstream-broken'
}

/** The request cannot be passed on: its target is no path, its method no method. */
export class NotForwardable extends MetadataError {
  override readonly name = 'NotForwardable'
  readonly status = 400
  readonly code = 'not-forwardable'
}

const NOT_IN_TIME = 'The metadata service did not answer in time.'
const TIMEOUTS: ReadonlySet<string> = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT'])

export function notInTime(destination: string): UpstreamTimeout {
  return new UpstreamTimeout(NOT_IN_TIME, { cause: destination })
}

/**
 * What a failure of the client library means.
 * @param isSent  the request had a connection: the next hop may have acted on it
 */
export function upstreamError(error: unknown, destination: string, isSent: boolean): MetadataError {
  if (error instanceof MetadataError) return error
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const cause = new Error(`${destination}: ${code || error}`, { cause: error })
  if (code === 'UND_ERR_INVALID_ARG')
    return new NotForwardable('The request cannot be understood by the metadata service.', { cause })
  if (TIMEOUTS.has(code)) return new UpstreamTimeout(NOT_IN_TIME, { cause })
  return isSent
    ? new UpstreamBroken('The metadata service did not answer. Please try your request again.', { cause })
    : new Unreachable('The metadata service is not reachable. Please try your request again.', { cause })
}
