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
