/** The real Neutron's REST API, without a Keystone before it. */
export interface NeutronApi {
  readonly url: string
  /** @returns the record as Neutron made it. @throws with what it answers */
  create(collection: string, record: Readonly<Record<string, unknown>>): Promise<NeutronRecord>
  attach(router: string, subnet: string): Promise<void>
  list(collection: string, query?: string): Promise<readonly NeutronRecord[]>
  remove(collection: string, id: string): Promise<void>
}

export interface NeutronRecord {
  readonly id: string
  readonly [field: string]: unknown
}

export function neutronApi(url: string): NeutronApi {
  async function call(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
    const answer = await fetch(`${url}/v2.0/${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${method} ${path}: Neutron answers ${answer.status}: ${text}`)
    return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>)
  }
  return {
    url,
    create: async (collection, record) => {
      const noun = collection.replace(/s$/, '')
      return (await call('POST', collection, { [noun]: record }))[noun] as NeutronRecord
    },
    attach: async (router, subnet) => {
      await call('PUT', `routers/${router}/add_router_interface`, { subnet_id: subnet })
    },
    list: async (collection, query = '') =>
      (await call('GET', `${collection}${query}`))[collection] as readonly NeutronRecord[],
    remove: async (collection, id) => {
      await call('DELETE', `${collection}/${id}`)
    },
  }
}
