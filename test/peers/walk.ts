import type { Answer, Asked } from './wire.ts'

/** Asks both services for a path. @returns the real Nova's answer, whatever it is; undefined when it gave none */
export type Ask = (asked: Pick<Asked, 'method' | 'target'>) => Promise<Answer | undefined>

/** What some instance may have, and another lacks: asked of every one, listed or not. */
const EC2_NAMES = [
  'kernel-id',
  'ramdisk-id',
  'public-keys',
  'block-device-mapping',
  'placement',
  'tags',
  '_name',
] as const
const OPENSTACK_NAMES = [
  ...['meta_data.json', 'user_data', 'password', 'vendor_data.json', 'network_data.json', 'vendor_data2.json'],
  ...['version', 'content', 'content/0000', 'content/0001', 'nothing'],
] as const

/** Reads everything the listings lead to, in every version of both trees, and what they may hide. @returns the paths */
export async function walk(ask: Ask): Promise<readonly string[]> {
  const paths: string[] = []
  const read = async (target: string): Promise<readonly string[]> => {
    paths.push(target)
    const answer = await ask({ method: 'GET', target })
    return answer?.status === '200 OK' ? answer.body.toString().split('\n') : []
  }
  for (const version of await read('/')) await walkEc2(`/${version}/`, read)
  for (const version of await read('/openstack')) {
    const names = new Set([...(await read(`/openstack/${version}`)), ...OPENSTACK_NAMES])
    for (const name of names) await read(`/openstack/${version}/${encodeURIComponent(name)}`)
  }
  return paths
}

/** A directory's listing names directories with a slash, and key slots by number and key name. */
async function walkEc2(directory: string, read: (target: string) => Promise<readonly string[]>): Promise<void> {
  const names = new Set([...(await read(directory)), ...(directory.endsWith('/meta-data/') ? EC2_NAMES : [])])
  for (const name of names) {
    const slot = directory.endsWith('/public-keys/') ? /^(\d+)=/.exec(name)?.[1] : undefined
    if (slot !== undefined) await walkEc2(`${directory}${slot}/`, read)
    else if (name.endsWith('/') && !name.startsWith('/')) await walkEc2(`${directory}${name}`, read)
    else await read(directory + encodeURIComponent(name))
  }
}
