import type { ObservedNamespace } from '../../host/host.ts'
import type { Namespace, Route } from '../../host/namespace.ts'
import { type Step, step } from './step.ts'

export function routeSteps({ name: netns, routes }: Namespace, seen: ObservedNamespace): readonly Step[] {
  return routes
    .filter((route) => !seen.routes.some((other) => isSame(route, other)))
    .map((route) => step({ kind: 'route-set', netns, route }, `no ${describe(route)}`))
}

export function routeLeftovers({ name: netns, routes }: Namespace, seen: ObservedNamespace): readonly Step[] {
  return seen.routes
    .filter((route) => !routes.some(({ destination }) => destination === route.destination))
    .map((route) => step({ kind: 'route-delete', netns, route }, `nobody wants the ${describe(route)}`))
}

function describe({ destination, gateway }: Route): string {
  const isDefault = destination.endsWith('/0')
  return isDefault ? `default route by ${gateway}` : `route to ${destination} by ${gateway}`
}

function isSame(a: Route, b: Route): boolean {
  return a.destination === b.destination && a.gateway === b.gateway && a.device === b.device
}
