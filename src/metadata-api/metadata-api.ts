import type { VendorDataEntry, VendorDataProvider } from '../documents/context.ts'
import type { Document } from '../documents/document.ts'
import type { Json } from '../documents/json.ts'
import { readTarget } from '../documents/path.ts'
import type { Release } from '../documents/release.ts'
import { ec2Versions, locate, type Place, readPlace } from '../documents/tree.ts'
import { errorPage } from '../http/error-page.ts'
import { MetadataError } from '../http/errors.ts'
import { withForwardedMark } from '../http/forwarded.ts'
import type { Handler, HttpReply, HttpRequest } from '../http/messages.ts'
import type { Instance } from '../inventory/records/instance.ts'
import type { Inventory } from '../inventory/store.ts'
import type { Log } from '../observe/log.ts'
import { type Caller, type Identity, lookedUpTwice, ownInstance } from './caller.ts'
import { BadRequest, NotFound } from './errors.ts'
import { type Identify, identifier } from './identify.ts'
import { type PasswordDeps, passwordResource } from './password.ts'
import { preparedDocuments } from './prepared.ts'
import { RequestContext } from './request-context.ts'
import type { SessionTokens } from './session-token.ts'
import { tokenGate } from './token-gate.ts'

export interface MetadataApiDeps extends PasswordDeps {
  readonly inventory: Inventory
  readonly sharedSecret: string
  readonly options: MetadataApiOptions
  /** The operator's vendor data as `readJson` gives it; undefined without a file. */
  readonly staticVendorData: Json | undefined
  /** What the targets answer about this instance, by name. Asked for vendor_data2.json alone, at every request for it. */
  readonly dynamicVendorData: (instance: Instance) => Promise<readonly VendorDataEntry[]>
  readonly sessionTokens: SessionTokens
  /** UTC date, `YYYY-MM-DD`. */
  readonly today: () => string
  /** 512 bytes of the system's generator, new at each call. */
  readonly randomSeed: () => Uint8Array
  readonly log: Log
}

export interface MetadataApiOptions {
  readonly release: Release
  readonly dhcpDomain: string
  readonly serviceMetadataProxy: boolean
  readonly vendordataProviders: readonly VendorDataProvider[]
}

/** The metadata API (nova-api-metadata): what a guest may read, for a caller that is known or finds itself known. */
export interface MetadataApi {
  /** Identifies the caller by the request: signed headers, or the connection's address. */
  readonly handler: Handler
  /** Answers a caller whom another part of this process has identified, with the same bytes. */
  readonly answer: (caller: Caller, request: HttpRequest) => Promise<HttpReply>
}

export function metadataApi(deps: MetadataApiDeps): MetadataApi {
  const identify = identifier({ ...deps, serviceMetadataProxy: deps.options.serviceMetadataProxy })
  const respond = responder(deps)
  return {
    // Without an agent it is the guest's own request that arrives.
    handler: (request) => respond(deps.options.serviceMetadataProxy ? request : withForwardedMark(request), identify),
    answer: (caller, request) =>
      respond(request, () => lookedUpTwice(deps.inventory, () => ownInstance(deps.inventory, caller))),
  }
}

type Respond = (request: HttpRequest, identify: Identify) => Promise<HttpReply>

function responder(deps: MetadataApiDeps): Respond {
  const password = passwordResource(deps)
  const read = reader(deps)
  const passGate = tokenGate(deps.inventory, deps.sessionTokens)

  /** Who asks is settled before the path is looked at; only the root is open to anybody. */
  const reply: Respond = async (request, identify) => {
    const path = readTarget(request.target)
    if (path === undefined) throw new BadRequest('The request target is not a path in UTF-8.')
    if (path.isOpen) return documentReply(ec2Versions())
    const identity = await identify(request)
    if (request.trace !== undefined) request.trace.instance = identity.instance.id
    const token = passGate(request, path.names, identity.instance)
    if (token !== undefined) return token
    const place = locate(path.names, deps.options.release)
    if (place === undefined) throw new NotFound('no-such-path')
    if (isPassword(place)) return password(request, identity.instance)
    return documentReply(await read(place, identity))
  }

  return async (request, identify) => {
    if (isLineTooLong(request)) return { status: 414, headers: [['Connection', 'close']], body: NOTHING }
    try {
      return await reply(request, identify)
    } catch (cause) {
      report(deps.log, cause, request)
      if (request.trace !== undefined) request.trace.problem = problemOf(cause)
      return refusal(cause, request)
    }
  }
}

/** @throws NotFound when this instance has nothing at the place */
function reader(deps: MetadataApiDeps): (place: Place, identity: Identity) => Promise<Document> {
  const { vendordataProviders: providers } = deps.options
  const prepared = preparedDocuments()
  const isDynamic = providers.includes('DynamicJSON')
  return async (place, { instance, requesterAddress }) => {
    const dynamic = isDynamic && isVendorData2(place) ? await deps.dynamicVendorData(instance) : []
    const context = new RequestContext(
      deps,
      requesterAddress,
      { providers, static: deps.staticVendorData, dynamic },
      prepared(instance),
    )
    const document = readPlace(place, instance, context)
    if (document === undefined) throw new NotFound('no-such-path')
    return document
  }
}

function isPassword(place: Place): boolean {
  return place.kind === 'openstack-file' && place.file.name === 'password'
}

function isVendorData2(place: Place): boolean {
  return place.kind === 'openstack-file' && place.file.name === 'vendor_data2.json'
}

function documentReply({ contentType, body }: Document): HttpReply {
  return { status: 200, headers: [['Content-Type', contentType]], body }
}

const NOTHING = new Uint8Array()

/** In bytes, line end included: eventlet's limit. */
const MAX_REQUEST_LINE = 8191

function isLineTooLong({ method, target }: HttpRequest): boolean {
  return `${method} ${target} HTTP/1.1\r\n`.length > MAX_REQUEST_LINE
}

/** In Nova a filter in front of everything turns whatever refuses an OPTIONS into an empty success without a type. */
function refusal(cause: unknown, request: HttpRequest): HttpReply {
  return request.method === 'OPTIONS' ? { status: 200, headers: [], body: NOTHING } : errorPage(cause, request)
}

function problemOf(cause: unknown): string {
  return cause instanceof MetadataError ? cause.code : 'crash'
}

function report(log: Log, cause: unknown, { id, method, remoteAddress }: HttpRequest): void {
  const facts = { request: id, method, remoteAddress }
  if (!(cause instanceof MetadataError)) log.error({ ...facts, err: cause }, 'the metadata request failed')
  else if (cause.status === 404) log.debug({ ...facts, code: cause.code }, cause.message)
  else log.warn({ ...facts, code: cause.code }, cause.message)
}
