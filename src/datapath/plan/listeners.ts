import type { ObservedNamespace } from '../../host/host.ts'
import { type Listener, listenerKey, type Namespace } from '../../host/namespace.ts'
import { type Step, step } from './step.ts'

/** Sockets that answer in another name where one of ours is to listen: they have to be closed before, not after. */
export function clearingSteps(desired: Namespace, seen: ObservedNamespace): readonly Step[] {
  const wanted = new Set(desired.listeners.map(listenerKey))
  const places = new Set(desired.listeners.map(listenerKey).map(placeOf))
  return [...seen.listening]
    .filter((key) => !wanted.has(key) && places.has(placeOf(key)))
    .map((key) => step({ kind: 'listener-close', netns: desired.name, key }, 'it answers in another name'))
}

export function listenerSteps({ name: netns, listeners }: Namespace, seen: ObservedNamespace): readonly Step[] {
  return listeners
    .filter((listener: Listener) => !seen.listening.has(listenerKey(listener)))
    .map((listener) =>
      step(
        { kind: 'listener-open', netns, listener, ...(isRunning(seen) && { beside: true }) },
        `nobody listens on ${listenerKey(listener)}`,
      ),
    )
}

export function listenerLeftovers(desired: Namespace, seen: ObservedNamespace): readonly Step[] {
  const wanted = new Set(desired.listeners.map(listenerKey))
  const cleared = new Set(clearingSteps(desired, seen).map(({ command }) => 'key' in command && command.key))
  const [relieved, reason] = isWanted(desired)
    ? [{ relieved: true } as const, 'haproxy listens there']
    : [{}, 'metadata is not served here']
  return [...seen.listening]
    .filter((key) => !wanted.has(key) && !cleared.has(key))
    .map((key) => step({ kind: 'listener-close', netns: desired.name, key, ...relieved }, reason))
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
