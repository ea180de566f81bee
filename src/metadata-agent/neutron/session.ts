import { DirectoryUnavailable } from '../errors.ts'
import { type EndpointWanted, type Keystone, LoginRefused, pickEndpoint, type Token } from './keystone.ts'
import type { Rest, RestAnswer } from './rest.ts'
import { RestFailed } from './rest.ts'
import { askPatiently } from './retry.ts'

/** Names and values of a query, in order; a name may repeat, which means any of its values. */
export type Query = readonly (readonly [name: string, value: string])[]

/** Neutron's API as one who is logged in sees it. */
export interface NeutronSession {
  /** Every record of a collection that fits, all pages of it.
   *  @throws DirectoryUnavailable when Neutron or Keystone cannot be asked, whatever the reason */
  list(collection: string, query: Query, signal: AbortSignal): Promise<readonly unknown[]>
  close(): Promise<void>
}

export interface SessionOptions {
  readonly rest: Rest
  /** undefined where nobody logs in. */
  readonly keystone: Keystone | undefined
  readonly endpoint: EndpointWanted
  /** In place of the catalog's; empty for that. */
  readonly endpointOverride: string
  readonly retries: number
}

/** More pages than any network has; a server that repeats itself would go on for ever. */
const MOST_PAGES = 1_000

export function openNeutronSession(options: SessionOptions): NeutronSession {
  const { rest, keystone, retries } = options

  async function get(path: string, signal: AbortSignal): Promise<RestAnswer> {
    const token = await keystone?.token(signal)
    const answer = await getWith(token, path, signal)
    if (answer.status !== 401 || keystone === undefined || token === undefined) return answer
    // Revoked, or Keystone's keys were changed: that is cured by a new token, once.
    keystone.discard(token)
    return await getWith(await keystone.token(signal), path, signal)
  }

  function getWith(token: Token | undefined, path: string, signal: AbortSignal): Promise<RestAnswer> {
    const headers = token === undefined ? {} : { 'x-auth-token': token.id }
    const url = `${baseUrl(options, token)}/v2.0/${path}`
    return askPatiently(rest, { method: 'GET', url, headers }, retries, signal)
  }

  async function list(collection: string, query: Query, signal: AbortSignal): Promise<readonly unknown[]> {
    const found: unknown[] = []
    let marker: string | undefined
    for (let page = 0; page < MOST_PAGES; page += 1) {
      const asked = marker === undefined ? query : [...query, ['marker', marker] as const]
      const { status, json } = await get(`${collection}?${printQuery(asked)}`, signal)
      if (status !== 200) throw new RestFailed(`Neutron answers ${status}${messageOf(json)}`)
      const records = recordsOf(json, collection)
      found.push(...records)
      // The link's own address may be one that only the server's side can reach; its marker is the last record's id.
      const last = records.at(-1)
      if (last === undefined || !hasNext(json, collection) || last.id === marker) return found
      marker = last.id
    }
    throw new RestFailed(`Neutron gives more than ${MOST_PAGES} pages of ${collection}`)
  }

  return {
    list: async (collection, query, signal) => {
      try {
        return await list(collection, query, signal)
      } catch (error) {
        if (error instanceof RestFailed || error instanceof LoginRefused) throw new DirectoryUnavailable(error.message)
        throw error
      }
    },
    close: () => rest.close(),
  }
}

function baseUrl({ endpoint, endpointOverride }: SessionOptions, token: Token | undefined): string {
  const url = endpointOverride || pickEndpoint(token?.catalog ?? [], endpoint)
  if (url === undefined) {
    const region = endpoint.region === '' ? '' : ` in region ${endpoint.region}`
    throw new RestFailed(
      `Keystone’s catalog has no ${endpoint.serviceType} endpoint (${endpoint.interfaces.join(' or ')})${region}`,
    )
  }
  return url.replace(/\/+$/, '').replace(/\/v2\.0$/, '')
}

/** Percent-encoded as Neutron reads it: `fixed_ips=ip_address%3D10.0.0.5`. */
export function printQuery(query: Query): string {
  return query.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&')
}

function recordsOf(json: unknown, collection: string): readonly { readonly id: string }[] {
  const records = (json as Readonly<Record<string, unknown>> | undefined)?.[collection]
  if (!Array.isArray(records)) throw new RestFailed(`Neutron’s answer has no ${collection}`)
  return records
}

function hasNext(json: unknown, collection: string): boolean {
  const links = (json as Readonly<Record<string, unknown>>)[`${collection}_links`]
  return Array.isArray(links) && links.some((link: { rel?: unknown }) => link.rel === 'next')
}

function messageOf(json: unknown): string {
  const message = (json as { NeutronError?: { message?: unknown } } | undefined)?.NeutronError?.message
  return typeof message === 'string' ? `: ${message.slice(0, 200)}` : ''
}
