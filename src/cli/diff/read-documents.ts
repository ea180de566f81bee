import type { HttpReply } from '../../http/messages.ts'

/** Answers a GET as one guest. */
export type Get = (path: string) => Promise<Pick<HttpReply, 'status' | 'body'>>

/** Everything a guest can read below a version, by path without the version: `meta-data/hostname`. */
export type Documents = ReadonlyMap<string, Uint8Array>

/**
 * Reads a tree as a crawling client does: a listing names what is below; a name that ends in a slash is a directory, and
 * so is a key's `0=name`. Documents of the OpenStack tree are files whatever they are called.
 */
export async function readDocuments(get: Get, family: 'ec2' | 'openstack', version: string): Promise<Documents> {
  const root = `/${family}/${version}`
  return new Map(family === 'openstack' ? await files(get, root) : await below(get, root, ''))
}

type Found = readonly (readonly [path: string, body: Uint8Array])[]

/** network_data.json is served in versions whose listing does not name it. */
const UNLISTED = ['network_data.json']

async function files(get: Get, root: string): Promise<Found> {
  const names = new Set([...(await listing(get, root)), ...UNLISTED])
  return (await Promise.all(Array.from(names, (name) => leaf(get, root, name)))).flat()
}

async function below(get: Get, root: string, folder: string): Promise<Found> {
  const names = await listing(get, `${root}/${folder}`)
  const found = await Promise.all(
    names.map((name) => {
      const key = folder.endsWith('public-keys/') ? /^(\d+)=/.exec(name)?.[1] : undefined
      if (key !== undefined) return below(get, root, `${folder}${key}/`)
      return name.endsWith('/') ? below(get, root, `${folder}${name}`) : leaf(get, root, `${folder}${name}`)
    }),
  )
  const isNamed = folder.endsWith('public-keys/')
  return [...(isNamed ? [[folder, Buffer.from(names.join('\n'))] as const] : []), ...found.flat()]
}

async function listing(get: Get, path: string): Promise<readonly string[]> {
  const { status, body } = await get(path)
  return status === 200
    ? Buffer.from(body)
        .toString()
        .split('\n')
        .filter((name) => name !== '')
    : []
}

async function leaf(get: Get, root: string, path: string): Promise<Found> {
  const { status, body } = await get(`${root}/${path}`)
  return status === 200 ? [[path, body]] : []
}
