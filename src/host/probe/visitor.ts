import { randomBytes } from 'node:crypto'
import { closeSync } from 'node:fs'
import { Socket } from 'node:net'
import { type Cidr, type IpAddress, ipVersion, isLinkLocal, type MacAddress } from '../../inventory/records/address.ts'
import { bind, checked, connect, errno, socket } from '../libc.ts'
import { addAddress, addVeth, setInside, setRoute } from '../link-changes.ts'
import { inNamespace, newNamespace } from '../netns.ts'
import { deviceIndex } from '../rtnetlink.ts'
import { AF_INET, encodeSocketAddress, familyOf, LARGEST_ADDRESS } from '../socket-address.ts'

/** A guest for a moment: a namespace without a name, plugged into a bridge. What it sends goes the way a guest's packets go. */
export interface Visitor {
  /** Of its namespace. */
  readonly path: string
  /** Of its device on the bridge, which is `VISITOR_DEVICE` in there. */
  readonly mac: MacAddress
  /** Asks for a path and gives the guest's own answer no name. Resolves whatever happens. */
  ask(destination: IpAddress, port: number, target: string, milliseconds: number): Promise<Answered>
  /** Takes it all away. So does the end of this process. */
  close(): void
}

/** What came of a request. */
export type Answered =
  | { readonly outcome: 'answered'; readonly status: number; readonly milliseconds: number }
  /** Somebody accepted the connection and said nothing, or nothing of HTTP. */
  | { readonly outcome: 'silent'; readonly milliseconds: number }
  /** `ECONNREFUSED`, `EHOSTUNREACH`, ... */
  | { readonly outcome: 'refused'; readonly code: string }
  /** Nothing came back: packets are lost on the way. */
  | { readonly outcome: 'lost' }

export interface Visit {
  readonly bridge: string
  readonly mtu: number
  /** One that nobody has, `address/prefix`. */
  readonly address: Cidr
  /** Where it sends what is for the metadata address; undefined: it looks for that on its link. */
  readonly metadata: { readonly destination: Cidr; readonly gateway: IpAddress } | undefined
}

/** @throws Error when no namespace or device can be made */
export function openVisitor({ bridge, mtu, address, metadata }: Visit): Visitor {
  const fd = newNamespace()
  try {
    const path = `/proc/self/fd/${fd}`
    const name = `fbx${randomBytes(4).toString('hex')}`
    // Locally administered: nobody's.
    const mac = `02:fb:${randomBytes(4)
      .toString('hex')
      .replaceAll(/..(?=.)/g, '$&:')}` as MacAddress
    addVeth({ peer: name, bridge, netns: path, inner: VISITOR_DEVICE, mac, mtu })
    inNamespace<void>(path, () => {
      setInside({ name: VISITOR_DEVICE, mac, mtu })
      addAddress(VISITOR_DEVICE, address)
      if (metadata !== undefined) setRoute({ ...metadata, device: VISITOR_DEVICE })
    })
    return {
      path,
      mac,
      ask: (...asked) => askFrom(path, ...asked),
      close: () => closeSync(fd),
    }
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

export const VISITOR_DEVICE = 'eth0'

const SOCK_STREAM_NONBLOCK_CLOEXEC = 0o2_004_001
const EINPROGRESS = 115

/**
 * Asks from within a namespace that is there already, as a visitor asks.
 * @param path                 of the namespace
 * @param connectMilliseconds  after which a connection that nobody has accepted is given up
 * @param device               of the namespace, on which a link-local destination is
 * @throws Error when the namespace cannot be entered, or has no way there
 */
export function askFrom(
  path: string,
  destination: IpAddress,
  port: number,
  target: string,
  milliseconds: number,
  connectMilliseconds = milliseconds,
  device = VISITOR_DEVICE,
): Promise<Answered> {
  const started = performance.now()
  const connected = new Socket({ fd: openConnection(path, destination, port, device) })
  const { promise, resolve } = Promise.withResolvers<Answered>()
  let said = ''
  let isAccepted = false
  const end = (answered: Answered) => {
    clearTimeout(timer)
    clearTimeout(connecting)
    connected.destroy()
    resolve(answered)
  }
  const elapsed = () => performance.now() - started
  // What has come meanwhile is read first: on a busy host it is this process that is late.
  const isOver = () => end(isAccepted ? { outcome: 'silent', milliseconds: elapsed() } : { outcome: 'lost' })
  const timer = setTimeout(() => setImmediate(isOver), milliseconds)
  const connecting = setTimeout(() => setImmediate(() => isAccepted || isOver()), connectMilliseconds)
  connected.on('error', (error: NodeJS.ErrnoException) =>
    end({ outcome: 'refused', code: error.code ?? error.message }),
  )
  connected.on('data', (chunk) => {
    said += chunk.toString('latin1')
    const status = /^HTTP\/1\.[01] (\d{3})/.exec(said)?.[1]
    if (status !== undefined) end({ outcome: 'answered', status: Number(status), milliseconds: elapsed() })
  })
  connected.on('end', () => end({ outcome: 'silent', milliseconds: elapsed() }))
  const host = ipVersion(destination) === 6 ? `[${destination}]` : destination
  const request = `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: ${VISITOR_AGENT}\r\nConnection: close\r\n\r\n`
  connected.write(request, (error) => {
    if (error) return
    isAccepted = true
    clearTimeout(connecting)
  })
  return promise
}

/** How our own questions are told from guests'. */
export const VISITOR_AGENT = 'firstboot-explain'

/** Begins to connect; whoever uses it hears how that ended. */
function openConnection(path: string, destination: IpAddress, port: number, device: string): number {
  return inNamespace<number>(path, () => {
    const family = familyOf(destination)
    const fd = checked(socket(family, SOCK_STREAM_NONBLOCK_CLOEXEC, 0), 'opening a socket')
    const any = encodeSocketAddress((family === AF_INET ? '0.0.0.0' : '::') as IpAddress, 0, 0)
    checked(bind(fd, any, any.length), 'binding a socket')
    const isOnLink = family !== AF_INET && isLinkLocal(destination)
    const there = encodeSocketAddress(destination, port, isOnLink ? deviceIndex(device) : 0)
    if (connect(fd, there, Math.min(there.length, LARGEST_ADDRESS)) === -1 && errno() !== EINPROGRESS)
      checked(-1, `connecting to ${destination}`)
    return fd
  })
}
