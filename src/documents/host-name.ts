import type { Instance } from '../inventory/records/instance.ts'

/** The host name with the domain behind it, also when it is qualified already: Nova does not look. */
export function qualifiedHostname(instance: Instance, dhcpDomain: string): string {
  return dhcpDomain === '' ? instance.hostname : `${instance.hostname}.${dhcpDomain}`
}
