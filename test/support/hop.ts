import { type ClientOptions, openHttpClient } from '../../src/http/client.ts'
import { errorPage } from '../../src/http/error-page.ts'
import { type Serving, serve } from '../../src/http/server.ts'
import { agentOverSocket } from '../../src/metadata-proxy/agent-socket.ts'
import type { Listening } from './raw-http.ts'

/** A request that nothing is special about. */
export const GET = 'GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'

/** Of a hop that does not wait for an upstream that is not there. */
export const NO_HOLD: ClientOptions = { limits: { hold: 0 } }

const open: (() => Promise<void>)[] = []

/** To be closed behind the test. */
export function closing(close: () => Promise<void>): void {
  open.push(close)
}

/** Closes what the tests of a file have opened, the last first. */
export async function closeAll(): Promise<void> {
  for (const close of open.toReversed()) await close()
}

/** A hop of ours in front of these servers. @returns its port */
export async function hop(
  upstreams: readonly { readonly origin: string }[],
  options: ClientOptions = {},
): Promise<number> {
  const client = openHttpClient(upstreams, options)
  const serving: Serving = await serve(
    agentOverSocket(client),
    { host: '127.0.0.1', port: 0 },
    { onError: (error, request) => errorPage(error, request) },
  )
  closing(() => client.close())
  closing(() => serving.close(0))
  return serving.port ?? 0
}

export async function opened<L extends Listening>(listening: Promise<L>): Promise<L> {
  const it = await listening
  closing(() => it.close())
  return it
}
