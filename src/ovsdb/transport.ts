import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { type ConnectionOptions, connect as connectTls, TLSSocket } from 'node:tls'
import type { Clock } from './clock.ts'
import { Disconnected } from './errors.ts'
import type { Remote } from './remote.ts'
import { pem, whyFailed, whyUnusable } from './tls-material.ts'

/** What `ssl:` needs, as PEM. */
export interface TlsMaterial {
  readonly key: string | Uint8Array
  readonly cert: string | Uint8Array
  /** Who must have signed the server's certificate. */
  readonly ca: string | Uint8Array
}

/** Asked at every connection, so that renewed certificates are used from the next one on. */
export type TlsSource = () => TlsMaterial | Promise<TlsMaterial>

export interface Dial {
  readonly tls: TlsSource | undefined
  readonly clock: Clock
  readonly timeoutMilliseconds: number
  readonly signal: AbortSignal
}

/** Opens a connection. @throws Disconnected when nobody answers in time, or not as they should. It does not say where: whoever
 *  dials knows, and says so in his own place */
export async function dial(remote: Remote, { tls, clock, timeoutMilliseconds, signal }: Dial): Promise<Duplex> {
  const { promise: opened, resolve, reject } = Promise.withResolvers<void>()
  const socket = remote.kind === 'ssl' ? connectTls(await secureOptions(remote, tls)) : connect(address(remote))
  const fail = (why: string, cause?: unknown) => reject(new Disconnected(why, { cause }))
  const forget = clock.after(timeoutMilliseconds, () => fail(`no connection within ${timeoutMilliseconds} ms`))
  const abort = () => fail('given up')
  socket.once(remote.kind === 'ssl' ? 'secureConnect' : 'connect', resolve)
  // What the server shows is refused by us; all else by whoever says so.
  const isRefused = () => socket instanceof TLSSocket && socket.authorizationError != null
  socket.on('error', (error) =>
    fail(isRefused() ? `the server’s certificate is not trusted: ${error.message}` : whyFailed(error), error),
  )
  socket.once('close', () => fail('closed before it was open'))
  signal.addEventListener('abort', abort)
  if (signal.aborted) abort()
  try {
    await opened
    socket.setNoDelay(true)
    return socket
  } catch (error) {
    socket.destroy()
    throw error
  } finally {
    forget()
    signal.removeEventListener('abort', abort)
  }
}

function address(remote: Remote): { readonly path: string } | { readonly host: string; readonly port: number } {
  return remote.kind === 'unix' ? { path: remote.path } : { host: remote.host, port: remote.port }
}

/** As everything of Open vSwitch does, the chain is verified and the name is not: its authorities sign nothing but its
 *  own machines, whose certificates carry no host names. */
async function secureOptions(remote: Remote, tls: TlsSource | undefined): Promise<ConnectionOptions> {
  if (tls === undefined) throw new Disconnected('a key, certificate and CA are needed for ssl:')
  const material = await tls()
  const why = whyUnusable(material)
  if (why !== undefined) throw new Disconnected(why)
  const { key, cert, ca } = material
  return {
    ...address(remote),
    key: pem(key),
    cert: pem(cert),
    ca: pem(ca),
    rejectUnauthorized: true,
    checkServerIdentity: () => undefined,
  }
}
