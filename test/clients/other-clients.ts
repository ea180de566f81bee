import { gunzipSync } from 'node:zlib'
import { type Answer, type Ask, tryTimes } from './ask.ts'

// Each client asks in its own order and draws its own conclusions from what it gets. The pauses between tries are left out.

/** CirrOS takes whatever begins with `i-` for an instance-id, and curl --fail takes any error for “nothing”. */
export async function bootCirros(ask: Ask): Promise<Map<string, string> | undefined> {
  const get = async (path: string) => {
    const { status, body } = await tryTimes(
      4,
      () => ask(`/2009-04-04/${path}`),
      ({ status }) => status < 500,
    )
    return status < 400 ? body.toString() : undefined
  }
  const identify = async () => {
    for (let left = 20; left > 0; left -= 1) {
      const id = await get('meta-data/instance-id').catch(() => undefined)
      if (id?.startsWith('i-')) return id
    }
    return undefined
  }
  const id = await identify()
  if (id === undefined) return undefined
  const found = new Map([['instance-id', id]])
  const read = async (name: string, path = `meta-data/${name}`) => {
    const value = await get(path)
    if (value !== undefined) found.set(name, value)
    return value ?? ''
  }
  const keys = (await read('public-keys')).split('\n').filter((line) => line !== '')
  for (const line of keys)
    await read(`key ${line.split('=')[1]}`, `meta-data/public-keys/${line.split('=')[0]}/openssh-key`)
  for (const name of ['ami-launch-index', 'instance-type', 'local-ipv4', 'public-ipv4', 'hostname', 'local-hostname'])
    await read(name)
  await read('user-data', 'user-data')
  const devices = (await read('block-device-mapping', 'meta-data/block-device-mapping/')).split('\n')
  for (const name of devices.filter((each) => each !== '')) await read(name, `meta-data/block-device-mapping/${name}`)
  await read('public-hostname')
  await read('availability-zone', 'meta-data/placement/availability-zone')
  return found
}

export interface Afterburn {
  readonly attributes: ReadonlyMap<string, string>
  readonly keys: readonly string[]
}

/** afterburn: a 404 is an absent value; a line of the key list with anything but one `=` spoils all of it. */
export async function runAfterburn(ask: Ask): Promise<Afterburn> {
  const get = async (path: string) => {
    const isFinal = ({ status }: Answer) => status === 200 || status === 404
    const { status, body } = await tryTimes(11, () => ask(`/latest/meta-data/${path}`), isFinal)
    if (status === 404) return undefined
    if (status !== 200) throw new Error(`failed to fetch: ${status}`)
    return body.toString()
  }
  const attributes = new Map<string, string>()
  for (const name of ['hostname', 'instance-id', 'instance-type', 'local-ipv4', 'public-ipv4']) {
    const value = await get(name)
    if (value !== undefined) attributes.set(name, value)
  }
  const zone = await ask('/openstack/2012-08-10/meta_data.json')
  if (zone.status === 200) attributes.set('zone', JSON.parse(zone.body.toString()).availability_zone)
  const keys: string[] = []
  for (const line of ((await get('public-keys')) ?? '').split('\n').filter((each) => each !== '')) {
    const [number, name, ...more] = line.split('=')
    if (name === undefined || more.length > 0) throw new Error('error parsing keyID')
    keys.push((await get(`public-keys/${number}/openssh-key`)) ?? '')
  }
  return { attributes, keys }
}

/** Ignition: 404 means no config and is believed; 5xx and silence are waited out. */
export async function fetchIgnition(ask: Ask): Promise<Buffer | undefined> {
  for (;;) {
    const answer = await ask('/openstack/latest/user_data').catch(() => undefined)
    if (answer === undefined || answer.status >= 500) continue
    if (answer.status === 404) return undefined
    if (answer.status === 200 || answer.status === 204) return answer.body
    throw new Error(`Ignition gives up: ${answer.status}`)
  }
}

export interface Windows {
  readonly instanceId: string
  readonly hostname: string
  readonly userData: string
  /** What became of the password it made up. */
  readonly password: 'posted' | 'already set'
}

/** cloudbase-init: six tries for everything but a 404; user data may be gzip; the password is posted once. */
export async function bootWindows(ask: Ask, password: string): Promise<Windows> {
  const get = async (path: string) => {
    const isFinal = ({ status }: Answer) => status < 400 || status === 404
    const { status, body } = await tryTimes(6, () => ask(path), isFinal)
    if (status >= 400 && status !== 404) throw new Error(`${path}: ${status}`)
    return status === 404 ? undefined : body
  }
  const meta = JSON.parse((await get('/openstack/latest/meta_data.json'))?.toString() ?? '{}')
  const raw = (await get('/openstack/latest/user_data')) ?? Buffer.alloc(0)
  const userData = raw.subarray(0, 2).equals(Buffer.from([0x1f, 0x8b])) ? gunzipSync(raw) : raw
  await get('/openstack/latest/network_data.json')
  const mayPost = (await get('/openstack/2013-04-04/meta_data.json')) !== undefined
  const isSet = mayPost && (await get('/openstack/2013-04-04/password'))?.length !== 0
  const known = { instanceId: meta.uuid, hostname: meta.hostname, userData: userData.toString() }
  if (isSet) return { ...known, password: 'already set' }
  const post = () => ask('/openstack/2013-04-04/password', { method: 'POST', body: password })
  const { status } = await tryTimes(6, post, (answer) => answer.status < 300 || answer.status === 409)
  return { ...known, password: status === 409 ? 'already set' : 'posted' }
}

export interface Talos {
  readonly hostname: string
  readonly macs: readonly string[]
  /** undefined: it waits in maintenance mode. */
  readonly machineConfig: Buffer | undefined
  readonly externalIp: string | undefined
}

/** Talos: any failure but 404 is tried again; an answer shorter than its Content-Length is a failure. */
export async function bootTalos(ask: Ask): Promise<Talos> {
  const get = async (path: string) => {
    const { status, body } = await tryTimes(
      10,
      () => ask(path),
      ({ status }) => status === 200 || status === 404,
    )
    return status === 200 && body.length > 0 ? body : undefined
  }
  const meta = JSON.parse((await get('/openstack/latest/meta_data.json'))?.toString() ?? '{}')
  const network = JSON.parse((await get('/openstack/latest/network_data.json'))?.toString() ?? '{}')
  const machineConfig = await get('/openstack/latest/user_data')
  const hostname = (await get('/latest/meta-data/hostname'))?.toString() ?? meta.hostname
  const externalIp = (await get('/latest/meta-data/public-ipv4'))?.toString()
  const links: { ethernet_mac_address: string }[] = network.links ?? []
  return { hostname, macs: links.map((link) => link.ethernet_mac_address), machineConfig, externalIp }
}

/** NixOS: version 1.0 of the EC2 tree with wget, which leaves an empty file where it fails. */
export async function bootNixos(ask: Ask): Promise<Map<string, string>> {
  const files = new Map<string, string>()
  for (const path of [
    'meta-data/ami-manifest-path',
    'user-data',
    'meta-data/hostname',
    'meta-data/public-keys/0/openssh-key',
  ]) {
    const { status, body } = await ask(`/1.0/${path}`)
    files.set(path, status === 200 ? body.toString() : '')
  }
  return files
}
