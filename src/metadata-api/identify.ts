import type { HttpRequest } from '../http/messages.ts'
import { parseIpAddress, unmapped } from '../inventory/records/address.ts'
import type { Inventory } from '../inventory/store.ts'
import { type Identity, lookedUpTwice, ownInstance } from './caller.ts'
import { AmbiguousAddress, BadRequest, NotFound, SignatureMismatch } from './errors.ts'
import { type PortIndex, portIndex } from './port-index.ts'
import { isSigned } from './signature.ts'

export interface IdentifyDeps {
  readonly inventory: Inventory
  readonly sharedSecret: string
  /** Believe the agent's signed headers; otherwise nobody's headers count, only the connection's address. */
  readonly serviceMetadataProxy: boolean
}

/** Finds the instance a request comes from. @throws MetadataError saying why not */
export type Identify = (request: HttpRequest) => Promise<Identity>

/** One way of asking. The first that applies is taken; there is no falling back from one to the next. */
interface Mode {
  readonly applies: (request: HttpRequest, deps: IdentifyDeps) => boolean
  readonly identify: (request: HttpRequest, deps: IdentifyDeps, index: PortIndex) => Promise<Identity>
}

const MODES: readonly Mode[] = [
  { applies: (_, deps) => !deps.serviceMetadataProxy, identify: byRemoteAddress },
  { applies: ({ headers }) => Boolean(headers.get('x-metadata-provider')), identify: byMetadataProvider },
  { applies: () => true, identify: bySignedInstanceId },
]

export function identifier(deps: IdentifyDeps): Identify {
  const index = portIndex(deps.inventory)
  return (request) => {
    const mode = MODES.find(({ applies }) => applies(request, deps))
    return mode ? mode.identify(request, deps, index) : Promise.reject(new NotFound('instance-unknown'))
  }
}

/** The agent's headers, each missing one with its own sentence, before the signature and before any lookup. An empty
 *  value is not a missing one. */
async function bySignedInstanceId(request: HttpRequest, deps: IdentifyDeps): Promise<Identity> {
  const instanceId = required(request, 'X-Instance-ID')
  const signature = required(request, 'X-Instance-ID-Signature')
  const projectId = required(request, 'X-Tenant-ID')
  if (!isSigned(instanceId, signature, deps.sharedSecret)) throw new SignatureMismatch()
  const requesterAddress = request.headers.get('x-forwarded-for') ?? null
  return lookedUpTwice(deps.inventory, () => ownInstance(deps.inventory, { instanceId, projectId, requesterAddress }))
}

function required(request: HttpRequest, name: string): string {
  const value = request.headers.get(name.toLowerCase())
  if (value === undefined) throw new BadRequest(`${name} header is missing from request.`)
  return value
}

/**
 * A load balancer (NSX and its like) that serves several networks and knows only the guest's address: the one port with
 * that address on the networks whose subnets name this provider. Without a shared secret nothing is signed here; Nova
 * then believes everybody who reaches it.
 */
async function byMetadataProvider(request: HttpRequest, deps: IdentifyDeps, index: PortIndex): Promise<Identity> {
  const provider = request.headers.get('x-metadata-provider') ?? ''
  const forwardedFor = request.headers.get('x-forwarded-for')
  if (forwardedFor === undefined) throw new BadRequest('X-Forwarded-For is missing from request.')
  const signature = request.headers.get('x-metadata-provider-signature') ?? ''
  if (deps.sharedSecret !== '' && !isSigned(provider, signature, deps.sharedSecret)) throw new SignatureMismatch()
  // Not trimmed: a blank before the comma belongs to the address, which then nobody has.
  const [requesterAddress = ''] = forwardedFor.split(',', 1)
  return lookedUpTwice(deps.inventory, () => behindProvider(provider, requesterAddress, deps, index))
}

function behindProvider(
  provider: string,
  requesterAddress: string,
  { inventory }: IdentifyDeps,
  index: PortIndex,
): Identity {
  const networks = index.networksOf(provider)
  if (networks.size === 0) throw new BadRequest(`Could not find any subnets for provider ${provider}`)
  const address = parseIpAddress(requesterAddress)
  const found = address === undefined ? [] : index.withAddress(address)
  const [port, ...others] = found.filter(({ networkId }) => networks.has(networkId))
  if (port === undefined || others.length > 0) {
    const count = port === undefined ? 0 : 1 + others.length
    throw new BadRequest(
      `Expected a single port matching provider ${provider} and IP ${requesterAddress}. Found ${count}.`,
    )
  }
  const { deviceId: instanceId, projectId } = port
  return ownInstance(inventory, { instanceId, projectId, requesterAddress })
}

/** The connection's address among the fixed IPs of all networks. */
async function byRemoteAddress(request: HttpRequest, deps: IdentifyDeps, index: PortIndex): Promise<Identity> {
  if (request.remoteAddress === '') throw new AmbiguousAddress()
  return lookedUpTwice(deps.inventory, () => withRemoteAddress(request.remoteAddress, deps, index))
}

function withRemoteAddress(remoteAddress: string, { inventory }: IdentifyDeps, index: PortIndex): Identity {
  const address = parseIpAddress(remoteAddress)
  const found = address === undefined ? [] : index.withAddress(unmapped(address))
  const [port, ...others] = found.filter(({ deviceId }) => deviceId !== '')
  if (address === undefined || port === undefined) throw new NotFound('address-unknown')
  if (others.length > 0) throw new AmbiguousAddress()
  const instance = inventory.instance(port.deviceId)
  if (instance === undefined) throw new NotFound('instance-unknown')
  return { instance, requesterAddress: unmapped(address) }
}
