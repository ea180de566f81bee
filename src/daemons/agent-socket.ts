import { chmod, rename } from 'node:fs/promises'
import type { Handler } from '../http/messages.ts'
import { type Serving, serve } from '../http/server.ts'
import type { Log } from '../observe/log.ts'
import { hopServerOptions } from './guest-server.ts'

/** The agent's unix socket beside its function: for proxies that are programs of their own, which an option may call for
 *  at any time. It takes the place of the one before in one step, so that a process and its successor both serve what they
 *  have accepted, and no connection is refused between them. */
export async function serveAgentSocket(path: string, agent: Handler, log: Log): Promise<Serving> {
  const fresh = `${path}.${process.pid}`
  const serving = await serve(agent, { path: fresh }, hopServerOptions(log))
  await chmod(fresh, 0o600)
  await rename(fresh, path)
  return serving
}
