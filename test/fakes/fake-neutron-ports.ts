/** A port as Neutron's API has it. */
export interface WirePort {
  readonly id: string
  readonly network_id: string
  readonly fixed_ips: readonly { readonly subnet_id: string; readonly ip_address: string }[]
  readonly [field: string]: unknown
}

/** What does not filter. */
const CONTROLS: ReadonlySet<string> = new Set(['fields', 'limit', 'marker', 'page_reverse', 'sort_key', 'sort_dir'])

/** What Neutron filters ports by, of its core attributes. `allowed_address_pairs` is not among them. */
const FILTERS: ReadonlySet<string> = new Set([
  'id',
  'name',
  'network_id',
  'mac_address',
  'admin_state_up',
  'status',
  'device_id',
  'device_owner',
  'fixed_ips',
  'tenant_id',
  'project_id',
  'description',
  'security_groups',
  'binding:host_id',
  'binding:vnic_type',
])

/** `GET /v2.0/ports`, as neutron-server 21.0.0 answered it (test/golden/neutron/rest-ports.json). */
export function listPorts(ports: readonly WirePort[], url: URL, mostPorts: number | undefined) {
  const filters = Map.groupBy(
    [...url.searchParams].filter(([name]) => !CONTROLS.has(name)),
    ([name]) => name,
  )
  const unknown = [...filters.keys()].filter((name) => !FILTERS.has(name))
  if (unknown.length > 0)
    return neutronError(
      400,
      'HTTPBadRequest',
      `[${unknown.map((name) => `'${name}'`).join(', ')}] is invalid attribute for filtering`,
    )
  const found = ports
    .filter((port) => [...filters].every(([name, values]) => values.some(([, value]) => fits(port, name, value))))
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
  const ordered = url.searchParams.get('sort_dir') === 'desc' ? found.toReversed() : found

  const limit = Math.min(
    ...[url.searchParams.get('limit'), mostPorts].map((each) => Number(each ?? Number.NaN)).filter((each) => each > 0),
  )
  const marker = url.searchParams.get('marker')
  const start = marker === null ? 0 : ordered.findIndex(({ id }) => id === marker) + 1
  const page = Number.isFinite(limit) ? ordered.slice(start, start + limit) : ordered
  const body = { ports: page.map((port) => withFields(port, url.searchParams.getAll('fields'))) }
  return { status: 200, body: Number.isFinite(limit) ? { ...body, ports_links: links(url, page, limit) } : body }
}

function fits(port: WirePort, name: string, value: string): boolean {
  if (name !== 'fixed_ips') return String(port[name]) === value
  const [key = '', wanted] = value.split('=')
  return port.fixed_ips.some((fixed) => (fixed as Readonly<Record<string, string>>)[key] === wanted)
}

function withFields(port: WirePort, fields: readonly string[]) {
  return fields.length === 0 ? port : Object.fromEntries(Object.entries(port).filter(([name]) => fields.includes(name)))
}

/** A next page is promised whenever this one is full, though it may turn out empty. */
function links(url: URL, page: readonly WirePort[], limit: number) {
  const query = [...url.searchParams]
    .filter(([name]) => name !== 'marker')
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
  const href = (marker: string | undefined, rest = '') =>
    `${url.origin}${url.pathname}?${query}&marker=${marker}${rest}`
  return [
    ...(page.length === limit ? [{ rel: 'next', href: href(page.at(-1)?.id) }] : []),
    ...(page.length > 0 ? [{ rel: 'previous', href: href(page[0]?.id, '&page_reverse=True') }] : []),
  ]
}

export function neutronError(status: number, type: string, message: string) {
  return { status, body: { NeutronError: { type, message, detail: '' } } }
}
