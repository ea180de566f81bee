import { HTML } from '../documents/document.ts'
import { BodyTooLarge } from '../http/errors.ts'
import type { HttpReply, HttpRequest } from '../http/messages.ts'
import type { InstanceId } from '../inventory/records/ids.ts'
import type { Instance } from '../inventory/records/instance.ts'
import type { Inventory } from '../inventory/store.ts'
import { BadRequest, PasswordConflict } from './errors.ts'

/** Nova keeps a password in four properties of 255 characters. */
const MAX_PASSWORD_BYTES = 1020

export interface PasswordDeps {
  readonly inventory: Inventory
  /** Resolves when the inventory shows the text to the next request. */
  readonly setPassword: (instanceId: InstanceId, text: string) => Promise<void>
}

/** The one resource whose method counts. */
export type PasswordResource = (request: HttpRequest, instance: Instance) => Promise<HttpReply>

/**
 * GET reads what the guest posted, or nothing; POST stores it once. Unlike Nova, which goes on seeing an unset password
 * for up to 15 s and lets a second POST overwrite the first, a second POST is a conflict at once.
 */
export function passwordResource(deps: PasswordDeps): PasswordResource {
  const oneAtATime = serializer()

  const post = async (request: HttpRequest, { id }: Instance): Promise<HttpReply> => {
    refuseSecond(deps.inventory, id)
    const text = await readPassword(request)
    await oneAtATime(id, async () => {
      refuseSecond(deps.inventory, id)
      await deps.setPassword(id, text)
    })
    return reply('')
  }

  return async (request, instance) => {
    switch (request.method) {
      case 'GET':
        return reply(instance.password)
      case 'POST':
        return post(request, instance)
      default:
        throw new BadRequest('GET and POST only are supported.')
    }
  }
}

/** An empty password is none. */
function refuseSecond(inventory: Inventory, id: InstanceId): void {
  const instance = inventory.instance(id)
  if (instance === undefined) throw new BadRequest(`Instance ${id} could not be found.`)
  if (instance.password !== '') throw new PasswordConflict()
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Nova crashes without a length and on what is not UTF-8; both are the client's fault. */
async function readPassword(request: HttpRequest): Promise<string> {
  const length = request.headers.get('content-length')
  if (length === undefined) throw new BadRequest('Content-Length header is missing from request.')
  if (Number(length) > MAX_PASSWORD_BYTES) throw new BadRequest('Request is too large.')
  const body = await request.body(MAX_PASSWORD_BYTES).catch((cause: unknown) => {
    throw cause instanceof BodyTooLarge ? new BadRequest('Request is too large.') : cause
  })
  try {
    return utf8.decode(body)
  } catch {
    throw new BadRequest('The password is not UTF-8 text.')
  }
}

/** Content-Length stands behind Content-Type here, unlike everywhere else. */
function reply(text: string): HttpReply {
  const body = Buffer.from(text)
  return {
    status: 200,
    headers: [
      ['Content-Type', HTML],
      ['Content-Length', String(body.length)],
    ],
    body,
  }
}

/** Runs the tasks of one instance one after another, in order of arrival. */
function serializer(): (id: InstanceId, task: () => Promise<void>) => Promise<void> {
  const last = new Map<InstanceId, Promise<void>>()
  return (id, task) => {
    const result = (last.get(id) ?? Promise.resolve()).then(task)
    const settled = result
      .catch(() => undefined)
      .then(() => {
        if (last.get(id) === settled) last.delete(id)
      })
    last.set(id, settled)
    return result
  }
}
