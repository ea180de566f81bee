import type { Namespace } from '../host/namespace.ts'

/** What a planner makes of one network or router. */
export interface Planned {
  /** undefined when there must be none. */
  readonly namespace: Namespace | undefined
  readonly decision: Decision
}

/** Where guests of a network, or behind a router, are sent with what they ask 169.254.169.254, and why. */
export interface Decision {
  /** The namespace it is about, whether it exists or not. */
  readonly netns: string
  readonly path: 'dhcp' | 'router' | 'ovn'
  readonly id: string
  readonly name: string
  /** The metadata proxy answers there. */
  readonly answers: boolean
  /** Guests that get a lease now are told to ask there. */
  readonly sendsGuests: boolean
  readonly because: string
}
