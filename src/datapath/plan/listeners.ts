import type { ObservedNamespace } from '../../host/host.ts'
import { type Listener, listenerKey, type Namespace } from '../../host/namespace.ts'
import { type Step, step } from './step.ts'

/** Sockets that stand where something else is to listen: they have to be closed before, not after. */
export function clearingSteps(desired: Namespace, seen: ObservedNamespace): readonly Step[] {
  const wanted = new Set(desired.listeners.map(listenerKey))
  const places = new Set(desired.listeners.map(listenerKey).map(placeOf))
  const startsHaproxy = isWanted(desired) && !isRunning(seen)
  return [...seen.listening]
    .filter((key) => !wanted.has(key) && (startsHaproxy || places.has(placeOf(key))))
    .map((key) => close(desired.name, key, startsHaproxy ? 'haproxy is to listen there' : 'it answers in another name'))
}

/** And the other way round: haproxy goes before our own sockets come. */
export function isInTheWay(desired: Namespace, kind: string): boolean {
  return kind === 'haproxy' && desired.listeners.length > 0
}

export function listenerSteps({ name: netns, listeners }: Namespace, seen: ObservedNamespace): readonly Step[] {
  return listeners
    .filter((listener: Listener) => !seen.listening.has(listenerKey(listener)))
    .map((listener) => step({ kind: 'listener-open', netns, listener }, `nobody listens on ${listenerKey(listener)}`))
}

export function listenerLeftovers(desired: Namespace, seen: ObservedNamespace): readonly Step[] {
  const wanted = new Set(desired.listeners.map(listenerKey))
  const cleared = new Set(clearingSteps(desired, seen).map(({ command }) => 'key' in command && command.key))
  return [...seen.listening]
    .filter((key) => !wanted.has(key) && !cleared.has(key))
    .map((key) => close(desired.name, key, 'metadata is not served here'))
}

function close(netns: string, key: string, reason: string): Step {
  return step({ kind: 'listener-close', netns, key }, reason)
}

/** Without the stamp: two of the same place cannot listen at once. */
function placeOf(key: string): string {
  return key.slice(0, key.indexOf(' '))
}

function isWanted({ programs }: Namespace): boolean {
  return programs.some(({ kind }) => kind === 'haproxy')
}

function isRunning({ programs }: ObservedNamespace): boolean {
  return programs.some(({ kind }) => kind === 'haproxy')
}
