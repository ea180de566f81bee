import { createHash } from 'node:crypto'
import type { Link } from './rtnetlink.ts'

/**
 * The mark of what we make, written as the alias of bridges and of `lo` in namespaces, for people (`ip link` shows it) and
 * for ourselves: `qdhcp-...` and `brq...` are Neutron's names too, and what one of its agents or another firstboot made on
 * this machine is not ours to delete.
 *
 * This one names no owner: whoever wants the bridge may claim it.
 */
export const MARK = 'firstboot'

/** IFALIASZ of linux/if_link.h, without the zero byte. */
const LONGEST_ALIAS = 255

/** The mark of one state directory: `firstboot:/var/lib/firstboot`. Odd characters are percent-encoded, and of a path that
 *  is too long a digest and the end are kept. */
export function markOf(statePath: string): string {
  const path = encodeURIComponent(statePath).replaceAll('%2F', '/').replaceAll("'", '%27')
  const whole = `${MARK}:${path}`
  if (whole.length <= LONGEST_ALIAS) return whole
  const start = `${MARK}:${createHash('sha256').update(statePath).digest('hex').slice(0, 16)}...`
  return start + path.slice(start.length - LONGEST_ALIAS)
}

/** Whose a namespace or bridge is. */
export type Owner = 'us' | 'nobody' | 'others'

export function bridgeOwner({ alias }: Pick<Link, 'alias'>, mark: string): Owner {
  if (alias === mark) return 'us'
  return alias === MARK ? 'nobody' : 'others'
}

/** One that holds nothing and is marked by no other firstboot is nobody's: whoever was making it has been killed, or is
 *  about to go on. */
export function netnsOwner(links: readonly Pick<Link, 'name' | 'alias'>[], mark: string): Owner {
  const alias = links.find(({ name }) => name === 'lo')?.alias ?? ''
  if (alias === mark) return 'us'
  const isFree = !alias.startsWith(`${MARK}:`) && links.every(({ name }) => name === 'lo')
  return isFree ? 'nobody' : 'others'
}

/** Who made a namespace, by the alias of its `lo`, for messages. */
export function describeOwner(alias: string): string {
  if (alias.startsWith(`${MARK}:`)) return `belongs to the firstboot that runs on ${alias.slice(MARK.length + 1)}`
  return alias === MARK ? 'was made by firstboot for something else' : 'was not made by firstboot'
}
