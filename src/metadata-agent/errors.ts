import { MetadataError } from '../http/errors.ts'

/** The hop before us did not say where the request came from, or said it in two ways. */
export class BadOrigin extends MetadataError {
  override readonly name = 'BadOrigin'
  readonly status = 400
  readonly code = 'bad-origin'
}

/** No instance stands behind this address; the cause, which the guest does not hear, is for the log. */
export class InstanceUnknown extends MetadataError {
  override readonly name = 'InstanceUnknown'
  readonly status = 404
  readonly code = 'instance-unknown'
  constructor(reason: string) {
    super('The resource could not be found.', { cause: reason })
  }
}

/** A guest asks more often than it may. */
export class TooManyRequests extends MetadataError {
  override readonly name = 'TooManyRequests'
  readonly status = 429
  readonly code = 'too-many-requests'
  override readonly headers: readonly (readonly [string, string])[]
  /** @param wait  milliseconds until the next request would be let through */
  constructor(wait: number) {
    super('Too many requests. Please try your request again later.')
    this.headers = [['Retry-After', String(Math.ceil(wait / 1000))]]
  }
}

/** Ports cannot be looked up now, so nobody may say that there is none. The guest does not hear why. */
export class DirectoryUnavailable extends MetadataError {
  override readonly name = 'DirectoryUnavailable'
  readonly status = 503
  readonly code = 'directory-unavailable'
  override readonly headers = [['Retry-After', '2']] as const
  constructor(reason: string) {
    super('The metadata service cannot look up who asks. Please try your request again.', { cause: reason })
  }
}
