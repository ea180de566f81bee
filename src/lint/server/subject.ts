import type { Instance } from '../../inventory/records/instance.ts'
import type { Server } from '../../inventory/records/server.ts'

/** A server as it is examined: its record, what guests read of it, and how the service is set up. */
export interface Subject {
  readonly server: Server
  readonly instance: Instance
  readonly dhcpDomain: string
}
