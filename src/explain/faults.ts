import type { Fault } from './fault.ts'
import { documentFaults } from './faults/documents.ts'
import { guestFaults } from './faults/guest.ts'
import { ipv6Faults } from './faults/ipv6.ts'
import { namespaceFaults } from './faults/namespace.ts'
import { plugFaults } from './faults/plug.ts'
import { proxyFaults } from './faults/proxy.ts'
import { recordFaults } from './faults/records.ts'
import { serviceFaults } from './faults/service.ts'

/** Every fault that has a name, causes before what follows from them. */
export const FAULTS: readonly Fault[] = [
  ...recordFaults,
  ...serviceFaults,
  ...plugFaults,
  ...namespaceFaults,
  ...proxyFaults,
  ...guestFaults,
  ...ipv6Faults,
  ...documentFaults,
]
