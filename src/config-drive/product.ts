import type { Release } from '../documents/release.ts'

/** What Nova calls itself: in SMBIOS, by which guests know that they run in OpenStack, and as publisher of an ISO. */
export const PRODUCT = {
  manufacturer: 'OpenStack Foundation',
  name: 'OpenStack Nova',
  family: 'Virtual Machine',
} as const

/** No guest looks at it. Zed's is the version that was measured. */
export function productVersion(release: Release): string {
  return release === 'zed' ? '26.2.2' : '33.0.0'
}
