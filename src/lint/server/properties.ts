import type { Check, Spot } from '../finding.ts'
import type { Subject } from './subject.ts'

/** What cloud-init makes of the property `dsmode`, by value. */
const DSMODES: ReadonlyMap<string, Spot | undefined> = new Map(
  Object.entries<Spot | undefined>({
    disabled: {
      severity: 'error',
      problem: 'the property dsmode is "disabled"',
      how: 'cloud-init leaves this metadata service and this config drive alone: no hostname, no key, no user data',
    },
    local: {
      problem: 'the property dsmode is "local"',
      how: 'from a config drive, user data is run before the network is up',
    },
    pass: {
      problem: 'the property dsmode is "pass"',
      how: 'older releases apply files and network of a config drive and then look for another source; newer ones log a warning and take "net"',
    },
    net: undefined,
  }),
)

export const propertyChecks: readonly Check<Subject>[] = [
  {
    name: 'properties/dsmode',
    severity: 'warning',
    breaks: ['cloud-init'],
    how: 'cloud-init does not know the value, logs a warning and takes "net"',
    mend: 'remove the property, unless that is what you want',
    look: ({ instance: { properties } }) => {
      const value = properties.find(([name]) => name === 'dsmode')?.[1]
      if (value === undefined) return undefined
      return DSMODES.has(value) ? DSMODES.get(value) : { problem: `the property dsmode is ${JSON.stringify(value)}` }
    },
  },
  {
    name: 'properties/admin-pass',
    severity: 'warning',
    breaks: ['every guest'],
    how: 'properties are served over HTTP to every process in the guest, for as long as it lives; cloudbase-init takes this one for its user',
    mend: 'let the guest make its password and post it encrypted (cloudbase-init does), or give admin_pass and a config drive',
    look: ({ instance: { properties } }) =>
      properties.some(([name]) => name === 'admin_pass')
        ? { problem: 'a password is among the properties (admin_pass)', member: 'meta.admin_pass' }
        : undefined,
  },
]
