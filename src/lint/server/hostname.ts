import { qualifiedHostname } from '../../documents/host-name.ts'
import type { Check } from '../finding.ts'
import type { Subject } from './subject.ts'

/** Characters of one DNS label (RFC 1035 §2.3.4). */
const LABEL_MAX = 63
/** Characters: HOST_NAME_MAX of Linux. */
const LINUX_MAX = 64

const HOSTNAME = {
  mend: 'give the server a hostname (field hostname); it does not follow a change of the name',
  severity: 'warning',
} as const

function check(
  name: string,
  row: Omit<Check<Subject>, 'name' | 'mend' | 'severity'> & Partial<Check<Subject>>,
): Check<Subject> {
  return { ...HOSTNAME, ...row, name: `hostname/${name}` }
}

export const hostnameChecks: readonly Check<Subject>[] = [
  check('characters', {
    severity: 'error',
    breaks: ['cloud-init', 'afterburn', 'cloudbase-init'],
    how: 'the guest\'s own tools refuse the name (hostnamectl: "Invalid static hostname"), and it keeps the image\'s',
    look: ({ instance: { hostname } }) =>
      /^[A-Za-z0-9._-]+$/.test(hostname)
        ? undefined
        : { problem: `${JSON.stringify(hostname)} has other characters than letters, digits, "-" and "."` },
  }),
  check('label-too-long', {
    severity: 'error',
    breaks: ['cloud-init', 'afterburn', 'cloudbase-init'],
    how: 'no name server knows such a name, and the guest refuses or cuts it',
    look: ({ instance: { hostname } }) => {
      const long = hostname.split('.').find((label) => label.length > LABEL_MAX)
      return long === undefined
        ? undefined
        : { problem: `${long.length} characters between dots; at most ${LABEL_MAX} are allowed` }
    },
  }),
  check('too-long', {
    breaks: ['afterburn', 'cloud-init'],
    how: `a guest that takes the whole name (Fedora CoreOS, prefer_fqdn_over_hostname) cannot set it: Linux allows ${LINUX_MAX} characters`,
    mend: 'shorten the hostname or the domain (--dhcp-domain)',
    look: ({ instance, dhcpDomain }) => {
      const { length } = qualifiedHostname(instance, dhcpDomain)
      return length > LINUX_MAX && instance.hostname.length <= LABEL_MAX
        ? { problem: `is ${length} characters long with its domain` }
        : undefined
    },
  }),
  check('underscore', {
    breaks: ['every guest'],
    how: 'no valid host name in DNS: certificates, Kubernetes and mail refuse it',
    look: ({ instance: { hostname } }) =>
      hostname.includes('_') ? { problem: `${hostname} has an underscore in it` } : undefined,
  }),
  check('upper-case', {
    breaks: ['every guest'],
    how: 'names compare without regard to case, but not everywhere: Kubernetes refuses such a node name',
    look: ({ instance: { hostname } }) =>
      /[A-Z]/.test(hostname) ? { problem: `${hostname} has upper-case letters in it` } : undefined,
  }),
  check('hyphen', {
    breaks: ['every guest'],
    how: 'a label may not begin or end with a hyphen (RFC 952): resolvers and certificates refuse it',
    look: ({ instance: { hostname } }) =>
      hostname.split('.').some((label) => /^-|-$|^$/.test(label))
        ? { problem: `${hostname} has a label that is empty, or begins or ends with "-"` }
        : undefined,
  }),
  check('digits-only', {
    breaks: ['cloudbase-init', 'every guest'],
    how: 'Windows refuses a computer name of digits alone, and programs take it for an address',
    look: ({ instance: { hostname } }) =>
      /^\d+$/.test(hostname) ? { problem: `${hostname} is digits only` } : undefined,
  }),
  check('qualified', {
    breaks: ['every guest'],
    how: 'the domain is appended all the same, as Nova does',
    mend: 'give the hostname without a domain, or serve without one (--dhcp-domain "")',
    look: ({ instance, dhcpDomain }) =>
      dhcpDomain !== '' && instance.hostname.includes('.')
        ? { problem: `is qualified already: guests read ${qualifiedHostname(instance, dhcpDomain)}` }
        : undefined,
  }),
]
