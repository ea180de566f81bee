import { readTarget } from '../documents/path.ts'
import { errorPage } from '../http/error-page.ts'
import { MetadataError } from '../http/errors.ts'
import type { HttpReply, HttpRequest } from '../http/messages.ts'
import type { Fault } from './fault.ts'
import type { FaultPlan } from './fault-plan.ts'
import type { Guest } from './guests.ts'

export interface TestServerDeps {
  readonly guestOf: (request: HttpRequest) => Guest | undefined
  /** What the metadata API answers; nobody is answered too. */
  readonly answer: (guest: Guest | undefined, request: HttpRequest) => Promise<HttpReply>
  readonly faults: FaultPlan
  readonly pause: (milliseconds: number) => Promise<void>
  /** Told of each request before anything is done about it. */
  readonly onRequest: () => void
}

/** A reply that knows what it answers, and what is to happen to it on the wire. */
export interface TestReply extends HttpReply {
  readonly request: HttpRequest
  readonly guest: Guest | undefined
  /** Normalised; the target itself where that is no path. */
  readonly path: string
  readonly fault: Fault | undefined
  /** Another answer than the record's was put in its place. */
  readonly isReplaced: boolean
  /** Milliseconds of the process's clock. */
  readonly started: number
}

/** Whose address an unknown guest's requests are counted and listed under. */
export function guestKey(guest: Guest | undefined, { remoteAddress }: HttpRequest): string {
  return guest?.id ?? remoteAddress
}

/** Answers as the metadata API does, but for the faults. */
export function testServer(deps: TestServerDeps): (request: HttpRequest) => Promise<TestReply> {
  return async (request) => {
    const started = performance.now()
    deps.onRequest()
    const guest = deps.guestOf(request)
    const names = readTarget(request.target)?.names
    const path = names === undefined ? request.target : `/${names.join('/')}`
    const fault = deps.faults(guestKey(guest, request), path)
    if (fault && fault.delayMilliseconds > 0) await deps.pause(fault.delayMilliseconds)
    const reply = await answerWith(fault?.status, request, () => deps.answer(guest, request))
    return { ...reply, request, guest, path, fault, started }
  }
}

type Answered = Pick<TestReply, 'status' | 'headers' | 'body' | 'isReplaced'>

async function answerWith(
  status: number | undefined,
  request: HttpRequest,
  answer: () => Promise<HttpReply>,
): Promise<Answered> {
  if (status === undefined) return { ...(await answer()), isReplaced: false }
  // A replaced POST must not take effect; a read is harmless, and says what the guest missed.
  const isRead = request.method === 'GET' || request.method === 'HEAD'
  const truth = isRead ? await answer() : undefined
  const page =
    status < 400 ? { status, headers: [], body: new Uint8Array() } : errorPage(new InjectedFault(status), request)
  return { ...page, isReplaced: truth?.status !== status }
}

/** An answer that was ordered on the command line. */
class InjectedFault extends MetadataError {
  override readonly name = 'InjectedFault'
  readonly status: number
  readonly code = 'injected-fault'
  constructor(status: number) {
    super(status === 404 ? 'The resource could not be found.' : 'firstboot serve was told to fail here.')
    this.status = status
  }
}
