/** What kind of document a request is for: few enough to be a label, whatever a guest asks. */
export const PATH_CLASSES = [
  'root',
  'listing',
  'meta-data',
  'meta_data.json',
  'user_data',
  'network_data.json',
  'vendor_data',
  'password',
  'token',
  'content',
  'other',
] as const

export type PathClass = (typeof PATH_CLASSES)[number]

/** Longer ones are no document's, and are not looked through. */
const LONGEST = 256

/** Files of a version of the OpenStack tree. */
const FILES: ReadonlyMap<string, PathClass> = new Map([
  ['meta_data.json', 'meta_data.json'],
  ['user_data', 'user_data'],
  ['network_data.json', 'network_data.json'],
  ['vendor_data.json', 'vendor_data'],
  ['vendor_data2.json', 'vendor_data'],
  ['password', 'password'],
  ['version', 'listing'],
])

/** Below a version of the EC2 tree. */
const EC2_BRANCHES: ReadonlyMap<string, PathClass> = new Map([
  ['meta-data', 'meta-data'],
  ['user-data', 'user_data'],
])

const VERSION = /^(latest|[12][0-9.-]{2,9})$/

/**
 * Classes a request by its target as received: neither decoded nor looked up, so `/%6catest` is `other` although it is
 * served. Which versions exist does not count; the status says whether there was something. Pure.
 */
export function pathClass(target: string): PathClass {
  const query = target.indexOf('?')
  const path = query === -1 ? target : target.slice(0, query)
  if (path.length > LONGEST || !path.startsWith('/')) return 'other'
  const [first, ...below] = path.split('/').filter((name) => name !== '')
  if (first === undefined) return 'root'
  if (first === 'openstack') return classBelowOpenstack(below)
  if (first === 'ec2') return classOfEc2(below[0], below.slice(1), path)
  return classOfEc2(first, below, path)
}

/** Targets whose class is remembered: more than all instances' usual ones. */
const REMEMBERED = 256

/** The same for who classes many: guests ask for the same few paths again and again. */
export function rememberedPathClass(): typeof pathClass {
  const known = new Map<string, PathClass>()
  return (target) => {
    const before = known.get(target)
    if (before !== undefined) return before
    const found = pathClass(target)
    // Whoever fills it with others costs us only what it saves.
    if (known.size >= REMEMBERED) known.clear()
    known.set(target, found)
    return found
  }
}

function classBelowOpenstack([version, file, ...more]: readonly string[]): PathClass {
  if (version === undefined) return 'listing'
  if (more.length > 0) return 'other'
  if (version === 'content') return file === undefined ? 'other' : 'content'
  if (!VERSION.test(version)) return 'other'
  return file === undefined ? 'listing' : (FILES.get(file) ?? 'other')
}

function classOfEc2(version: string | undefined, [branch, ...leaf]: readonly string[], path: string): PathClass {
  if (version === undefined) return 'listing'
  if (!VERSION.test(version)) return 'other'
  if (branch === undefined) return 'listing'
  if (branch === 'api' && leaf.join('/') === 'token') return 'token'
  const found = EC2_BRANCHES.get(branch)
  if (found === 'meta-data') return leaf.length === 0 || path.endsWith('/') ? 'listing' : 'meta-data'
  return leaf.length === 0 ? (found ?? 'other') : 'other'
}
