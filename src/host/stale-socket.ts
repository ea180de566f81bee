import { lstatSync, rmSync } from 'node:fs'
import { connect } from 'node:net'

/** Removes the unix socket that a killed predecessor left. @param who  `metadata agent`. @throws Error when somebody still listens there (it would be
 *  robbed silently) or when something else is there (it would be lost) */
export async function clearStaleSocket(path: string, who: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found === undefined) return
  if (!found.isSocket()) throw new Error(`${path} is there and is no socket; move it away, or name another place`)
  const { promise, resolve } = Promise.withResolvers<string>()
  const probe = connect(path)
  probe.once('connect', () => resolve('connected'))
  probe.once('error', (error) => resolve('code' in error ? String(error.code) : ''))
  const how = await promise
  probe.destroy()
  // A listener whose queue is full says EAGAIN: only a refusal proves that nobody is there.
  if (how !== 'ECONNREFUSED') throw new Error(`${path}: another ${who} listens there; stop it first`)
  rmSync(path, { force: true })
}
