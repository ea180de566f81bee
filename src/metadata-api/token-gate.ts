import { TEXT } from '../documents/document.ts'
import { FORWARDED_BY_GUEST } from '../http/forwarded.ts'
import type { HttpReply, HttpRequest } from '../http/messages.ts'
import type { Instance } from '../inventory/records/instance.ts'
import type { Inventory } from '../inventory/store.ts'
import { BadRequest, Forwarded, MethodNotAllowed, TokenNeeded } from './errors.ts'
import type { SessionTokens } from './session-token.ts'

/** EC2's limits: six hours. */
const MIN_LIFETIME_SECONDS = 1
const MAX_LIFETIME_SECONDS = 21_600

const TOKEN = 'X-aws-ec2-metadata-token'
const LIFETIME = 'X-aws-ec2-metadata-token-ttl-seconds'

/**
 * Stands between knowing who asks and looking at the path, in projects that have session tokens.
 * @returns the answer to a request for a token; undefined when the request may go on
 * @throws TokenNeeded, BadRequest, Forwarded, MethodNotAllowed
 */
export type TokenGate = (request: HttpRequest, path: readonly string[], instance: Instance) => HttpReply | undefined

export function tokenGate(inventory: Inventory, tokens: SessionTokens): TokenGate {
  return (request, path, instance) => {
    const mode = inventory.records.project.get(instance.projectId)?.metadataTokens ?? 'off'
    if (mode === 'off') return undefined
    if (path.join('/') === 'latest/api/token') return issue(request, instance, tokens)
    const token = request.headers.get(TOKEN.toLowerCase())
    // One that is shown counts, also where none is needed.
    const isFit = token === undefined ? mode === 'optional' : tokens.isValid(token, instance.id)
    if (!isFit) throw new TokenNeeded()
    return undefined
  }
}

function issue({ method, headers }: HttpRequest, instance: Instance, tokens: SessionTokens): HttpReply {
  if (method !== 'PUT') throw new MethodNotAllowed('PUT')
  if (headers.get(FORWARDED_BY_GUEST) !== undefined) throw new Forwarded()
  const lifetime = readLifetime(headers.get(LIFETIME.toLowerCase()))
  return {
    status: 200,
    headers: [
      ['Content-Type', TEXT],
      [LIFETIME, String(lifetime)],
    ],
    body: Buffer.from(tokens.issue(instance.id, lifetime)),
  }
}

function readLifetime(text: string | undefined): number {
  const seconds = text !== undefined && /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (seconds >= MIN_LIFETIME_SECONDS && seconds <= MAX_LIFETIME_SECONDS) return seconds
  throw new BadRequest(
    `${LIFETIME} must be a whole number of seconds from ${MIN_LIFETIME_SECONDS} to ${MAX_LIFETIME_SECONDS}.`,
  )
}
