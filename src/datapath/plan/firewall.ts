import { canonicalFirewall, FAMILIES } from '../../host/firewall.ts'
import type { ObservedNamespace } from '../../host/host.ts'
import type { Firewall, FirewallTable, Namespace } from '../../host/namespace.ts'
import { type Step, step } from './step.ts'

/** Differences that a reason names; how many more there are, it only says. */
const NAMED = 2

/** One command for all of it, since a half of the rules may be worse than none; the reason names what is wrong. */
export function firewallSteps({ name: netns, firewall }: Namespace, seen: ObservedNamespace): readonly Step[] {
  const differences = FAMILIES.flatMap((family) =>
    tableDifferences(canonicalOf(firewall)[family], seen.firewall[family]).map((text) => `IPv${family} ${text}`),
  )
  if (differences.length === 0) return []
  const more = differences.length - NAMED
  const reason = [...differences.slice(0, NAMED), ...(more > 0 ? [`and ${more} more`] : [])].join('; ')
  return [step({ kind: 'firewall-set', netns, firewall }, reason)]
}

/** A planner's firewall is asked about again at each look. */
const canonical = new WeakMap<Firewall, Firewall>()

function canonicalOf(firewall: Firewall): Firewall {
  const known = canonical.get(firewall) ?? canonicalFirewall(firewall)
  canonical.set(firewall, known)
  return known
}

function tableDifferences(wanted: readonly FirewallTable[], seen: readonly FirewallTable[]): readonly string[] {
  const names = new Set([...wanted, ...seen].map(({ name }) => name))
  return [...names].flatMap((name) => {
    const to = linesOf(wanted.find((table) => table.name === name))
    const from = linesOf(seen.find((table) => table.name === name))
    const differing = [
      ...missingFrom(from, to).map((line) => `${name} lacks \`${line}\``),
      ...missingFrom(to, from).map((line) => `${name} has \`${line}\` too much`),
    ]
    const isReordered = differing.length === 0 && to.some((line, i) => line !== from[i])
    return isReordered ? [`${name} has its rules in another order`] : differing
  })
}

function linesOf(table: FirewallTable | undefined): readonly string[] {
  return table === undefined ? [] : [...table.chains.map((chain) => `-N ${chain}`), ...table.rules]
}

/** Lines of `lines` that `others` does not have, or not as often. */
function missingFrom(others: readonly string[], lines: readonly string[]): readonly string[] {
  const left = new Map<string, number>()
  for (const line of others) left.set(line, (left.get(line) ?? 0) + 1)
  return lines.filter((line) => {
    const count = left.get(line) ?? 0
    left.set(line, count - 1)
    return count <= 0
  })
}
