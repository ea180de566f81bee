import { UNKNOWN_ERROR } from '../http/error-page.ts'
import { MetadataError } from '../http/errors.ts'

/** The request lacks something or has too much of it; the guest reads the message. */
export class BadRequest extends MetadataError {
  override readonly name = 'BadRequest'
  readonly status = 400
  readonly code = 'bad-request'
}

/** Says nothing about the right signature, neither to the guest nor to the log. */
export class SignatureMismatch extends MetadataError {
  override readonly name = 'SignatureMismatch'
  readonly status = 403
  readonly code = 'signature-mismatch'
  constructor() {
    super('Invalid proxy request signature.')
  }
}

/** The guest always reads the same text; `reason` is for the log. */
export class NotFound extends MetadataError {
  override readonly name = 'NotFound'
  readonly status = 404
  readonly code: NotFoundReason
  constructor(reason: NotFoundReason) {
    super('The resource could not be found.')
    this.code = reason
  }
}

export type NotFoundReason = 'no-such-path' | 'instance-unknown' | 'project-mismatch' | 'address-unknown'

/** The project's guests ask with session tokens, and this request has none, an expired one, or another instance's. */
export class TokenNeeded extends MetadataError {
  override readonly name = 'TokenNeeded'
  readonly status = 401
  readonly code = 'token-needed'
  constructor() {
    super('A valid session token is needed.')
  }
}

/** No session token for somebody behind a proxy in the guest. */
export class Forwarded extends MetadataError {
  override readonly name = 'Forwarded'
  readonly status = 403
  readonly code = 'forwarded'
  constructor() {
    super('Session tokens are not issued to forwarded requests.')
  }
}

export class MethodNotAllowed extends MetadataError {
  override readonly name = 'MethodNotAllowed'
  readonly status = 405
  readonly code = 'method-not-allowed'
  override readonly headers: readonly (readonly [string, string])[]
  constructor(allowed: string) {
    super('The method is not allowed for this resource.')
    this.headers = [['Allow', allowed]]
  }
}

/** A password is there already. */
export class PasswordConflict extends MetadataError {
  override readonly name = 'PasswordConflict'
  readonly status = 409
  readonly code = 'password-conflict'
  constructor() {
    super('There was a conflict when trying to complete your request.')
  }
}

/** The peer's address is missing, or several networks use it: nobody can say who asks. */
export class AmbiguousAddress extends MetadataError {
  override readonly name = 'AmbiguousAddress'
  readonly status = 500
  readonly code = 'ambiguous-address'
  constructor() {
    super(UNKNOWN_ERROR)
  }
}
