import { lstat, rm } from 'node:fs/promises'
import { connect } from 'node:net'

/** Removes the socket a killed predecessor left. @throws Error when somebody still listens there (it would be robbed
 *  silently) or when something else is there (it would be lost) */
export async function clearSocket(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined)
  if (found === undefined) return
  if (!found.isSocket()) throw new Error(`${path} is there and is no socket; name another --metadata-proxy-socket`)
  const { promise, resolve } = Promise.withResolvers<string>()
  const probe = connect(path)
  probe.once('connect', () => resolve('connected'))
  probe.once('error', (error) => resolve('code' in error ? String(error.code) : ''))
  const how = await promise
  probe.destroy()
  // A listener whose queue is full says EAGAIN: only a refusal proves that nobody is there.
  if (how !== 'ECONNREFUSED') throw new Error(`${path}: another metadata agent listens there; stop it first`)
  await rm(path, { force: true })
}
