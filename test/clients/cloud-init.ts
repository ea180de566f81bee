import type { Answer, Ask } from './ask.ts'
import { tryTimes } from './ask.ts'

/** What differs between the cloud-init of Debian 12 and that of 2026. */
export interface Release {
  readonly agent: string
  /** Of the crawl of the EC2 source. */
  readonly crawlAgent: string
  /** The statuses after which a request is sent again. */
  readonly retried: readonly number[]
}

export const debian12: Release = { agent: 'Cloud-Init/22.4.2', crawlAgent: 'python-requests/2.28.1', retried: [] }
export const newest: Release = {
  agent: 'Cloud-Init/26.2',
  crawlAgent: 'Cloud-Init/26.2',
  retried: [408, 429, 500, 502, 503, 504],
}

/** What a guest has at the end of its boot. */
export interface Booted {
  readonly instanceId: string
  readonly hostname: string
  readonly keys: readonly string[]
  /** undefined: it runs nothing, and says nothing about it. */
  readonly userData: Buffer | undefined
  readonly macs: readonly string[]
  readonly ec2: ReadonlyMap<string, string>
}

const KNOWN = [
  '2012-08-10',
  '2013-04-04',
  '2013-10-17',
  '2015-10-15',
  '2016-06-30',
  '2016-10-06',
  '2017-02-22',
  '2018-08-27',
]
const RETRIES = 5

/** The OpenStack source. @returns undefined when it finds no source and the guest boots knowing nothing */
export async function bootFromOpenstack(ask: Ask, { retried }: Release): Promise<Booted | undefined> {
  const get = (path: string) =>
    tryTimes(
      1 + RETRIES,
      () => ask(path),
      ({ status }) => !retried.includes(status),
    )
  const optional = async (path: string) => documentOf(await get(path).catch(() => undefined))

  if ((await get('/openstack')).status !== 200) return undefined
  const listed = (await get('/openstack')).body.toString().split('\n')
  const version = KNOWN.findLast((each) => listed.includes(each)) ?? 'latest'
  const meta = await optional(`/openstack/${version}/meta_data.json`)
  if (meta === undefined) return undefined
  const { uuid, hostname, public_keys: keys, random_seed: seed } = JSON.parse(meta.toString())
  if (typeof uuid !== 'string' || Buffer.from(seed, 'base64').toString('base64') !== seed) return undefined
  const userData = await optional(`/openstack/${version}/user_data`)
  await optional(`/openstack/${version}/vendor_data.json`)
  await optional(`/openstack/${version}/vendor_data2.json`)
  const network = await optional(`/openstack/${version}/network_data.json`)
  const links: { ethernet_mac_address: string }[] = network ? (JSON.parse(network.toString()).links ?? []) : []
  return {
    instanceId: uuid,
    hostname,
    keys: Object.values<string>(keys ?? {}).map((key) => key.trim()),
    userData,
    macs: links.map((link) => link.ethernet_mac_address),
    ec2: await crawl(get, '/latest/meta-data/'),
  }
}

/** The EC2 source where the hardware does not say it is Amazon's: no token, newest version that has an instance-id. */
export async function bootFromEc2(ask: Ask, crawlAsk: Ask): Promise<Booted | undefined> {
  if ((await ask('/2009-04-04/meta-data/instance-id')).status !== 200) return undefined
  let version = '2009-04-04'
  for (const newer of ['2021-03-23', '2018-09-24', '2016-09-02'])
    if ((await ask(`/${newer}/meta-data/instance-id`)).status === 200) version = newer
  const userData = documentOf(await crawlAsk(`/${version}/user-data`))
  const ec2 = await crawl(crawlAsk, `/${version}/meta-data/`)
  return {
    instanceId: ec2.get('instance-id') ?? '',
    hostname: ec2.get('local-hostname') ?? '',
    keys: [...ec2].filter(([path]) => path.startsWith('public-keys/')).map(([, key]) => key.trim()),
    userData,
    macs: [],
    ec2,
  }
}

function documentOf(answer: Answer | undefined): Buffer | undefined {
  return answer !== undefined && answer.status < 400 ? answer.body : undefined
}

/** Directories (`name/`) before leaves; `0=name` under public-keys means `0/openssh-key`. A leaf that fails is left out. */
async function crawl(get: (path: string) => Promise<Answer>, root: string, at = ''): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  const listing = documentOf(await get(root + at))
  const names = listing?.toString().split('\n') ?? []
  const isDirectory = (name: string) => name.endsWith('/')
  for (const name of names.filter(isDirectory))
    for (const [path, value] of await crawl(get, root, at + name)) found.set(path, value)
  for (const name of names.filter((each) => !isDirectory(each))) {
    const [number, key] = name.split('=')
    const path = at + (key === undefined ? name : `${number}/openssh-key`)
    const leaf = documentOf(await get(root + path))
    if (leaf !== undefined) found.set(path, leaf.toString())
  }
  return found
}
