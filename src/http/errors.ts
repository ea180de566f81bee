/** An answer other than the document: what a guest or a peer did, or what we cannot do now. Thrown anywhere below a
 *  handler; status line, page, log line and counter are derived from it in one place (error-page.ts, server.ts). */
export abstract class MetadataError extends Error {
  abstract readonly status: number
  /** Stable name for logs and metrics: `signature-mismatch`. */
  abstract readonly code: string
  /** Header fields the answer must carry, `Retry-After` for one. */
  readonly headers: readonly (readonly [string, string])[] = []
}

/** The state is not known yet (start, resync), so nobody may say 404: every guest takes a 404 as final. */
export class NotReady extends MetadataError {
  override readonly name = 'NotReady'
  readonly status = 503
  readonly code = 'not-ready'
  override readonly headers = [['Retry-After', '1']] as const
  constructor(options?: ErrorOptions) {
    super('The metadata service is starting. Please try your request again.', options)
  }
}

/** More came than anybody here has a use for. */
export class BodyTooLarge extends MetadataError {
  override readonly name = 'BodyTooLarge'
  readonly status = 413
  readonly code = 'body-too-large'
  constructor(limit: number) {
    super(`The request body is longer than ${limit} bytes.`)
  }
}

/** The client went away in the middle of its request: nobody hears this. */
export class ClientGone extends MetadataError {
  override readonly name = 'ClientGone'
  readonly status = 400
  readonly code = 'client-gone'
  constructor() {
    super('The request ended before its body did.')
  }
}

/** How long a guest's request waits for a state that is not known yet: below the shortest time-out of a client (10 s). */
export const HOLD_MILLISECONDS = 8_000

/** What has come true before; it stays so, and nobody who asks later needs a timer. */
const fulfilled = new WeakSet<Promise<void>>()

/** Waits for `ready`. @throws NotReady after `milliseconds`, and when it fails */
export async function held(ready: Promise<void>, milliseconds = HOLD_MILLISECONDS): Promise<void> {
  if (fulfilled.has(ready)) return
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new NotReady()), milliseconds)
  try {
    await Promise.race([ready, late])
    fulfilled.add(ready)
  } catch (cause) {
    throw cause instanceof NotReady ? cause : new NotReady({ cause })
  } finally {
    clearTimeout(timer)
  }
}
