import { isDeepStrictEqual } from 'node:util'
import type { Observed, ObservedBridge, ObservedNamespace, ObservedPortSecurity } from './host.ts'

/** What somebody else has changed between two looks, in words. Pure. */

/** What others change, and the programs and sockets that we keep ourselves do not. */
const PARTS = ['devices', 'routes', 'firewall', 'sysctls'] as const satisfies readonly (keyof ObservedNamespace)[]

/** @param touched  names of namespaces, bridges and tables that we have changed ourselves meanwhile */
export function driftBetween(before: Observed, now: Observed, touched: ReadonlySet<string>): readonly string[] {
  const namespaces = [...now.namespaces].flatMap(([name, seen]) => {
    const known = before.namespaces.get(name)
    return known === undefined || known === seen || touched.has(name) ? [] : namespaceDrift(known, seen)
  })
  const bridges = [...before.bridges.values()]
    .filter(({ name, owner }) => owner === 'us' && !touched.has(name))
    .flatMap((known) => bridgeDrift(known, now.bridges.get(known.name)))
  return [...namespaces, ...bridges, ...tableDrift(before.portSecurity, now.portSecurity, touched)]
}

function namespaceDrift(before: ObservedNamespace, now: ObservedNamespace): readonly string[] {
  const changed = PARTS.filter((part) => !isDeepStrictEqual(before[part], now[part]))
  return changed.length === 0 ? [] : [`${changed.join(', ')} of ${now.name} changed`]
}

function tableDrift(
  before: ObservedPortSecurity | undefined,
  now: ObservedPortSecurity | undefined,
  touched: ReadonlySet<string>,
): readonly string[] {
  if (before === undefined || now === undefined || before === now || touched.has(now.table)) return []
  return [now.exists ? `table ${now.table} changed` : `table ${now.table} was deleted`]
}

/** Guests come to a bridge and go. */
function bridgeDrift(before: ObservedBridge, now: ObservedBridge | undefined): readonly string[] {
  if (now === undefined) return [`bridge ${before.name} was deleted`]
  const isSame = now.mtu === before.mtu && now.up === before.up && now.owner === before.owner
  return isSame ? [] : [`bridge ${before.name} changed`]
}
