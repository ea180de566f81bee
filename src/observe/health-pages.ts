import { type Condition, examine, type Finding } from './health.ts'
import { CONTENT_TYPE } from './metrics/exposition.ts'

/** A request and its reply as src/http has them; this folder stands beside that one and may not name it. */
export interface PageRequest {
  readonly method: string
  readonly target: string
  readonly headers: { get(name: string): string | undefined }
}

export interface PageReply {
  readonly status: number
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: Uint8Array
}

export interface HealthPages {
  /** What Prometheus reads: one process, or all of the host merged. */
  readonly metrics: () => string | Promise<string>
  /** What a restart would mend. That the event loop turns is shown by the answer. */
  readonly alive: readonly Condition[]
  /** What guests need to be answered as they should. */
  readonly ready: readonly Condition[]
}

/** Answers `/metrics`, `/healthz` and `/readyz`: 200 when well, 503 when not, with each condition on a line, or as JSON
 *  for those that accept it. For operators: never on a socket that guests reach. */
export function healthPages(pages: HealthPages): (request: PageRequest) => Promise<PageReply> {
  const rows: Readonly<Record<string, (request: PageRequest) => PageReply | Promise<PageReply>>> = {
    '/metrics': async () => reply(200, CONTENT_TYPE, await pages.metrics()),
    '/healthz': (request) => conditionsPage(examine(pages.alive), request),
    '/readyz': (request) => conditionsPage(examine(pages.ready), request),
  }
  return async (request) => {
    const [path = ''] = request.target.split('?', 1)
    const page = Object.hasOwn(rows, path) ? rows[path] : undefined
    if (page === undefined) return reply(404, TEXT, `There are ${Object.keys(rows).join(', ')}.\n`)
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return { ...reply(405, TEXT, 'These pages are only read.\n'), headers: [...TYPE, ['Allow', 'GET, HEAD']] }
    const answer = await page(request)
    return request.method === 'HEAD' ? withoutBody(answer) : answer
  }
}

const TEXT = 'text/plain; charset=utf-8'
const TYPE = [['Content-Type', TEXT]] as const

function conditionsPage(findings: readonly Finding[], { headers }: PageRequest): PageReply {
  const isWell = findings.every((finding) => finding.isWell)
  const status = isWell ? 200 : 503
  if (headers.get('accept')?.includes('application/json'))
    return reply(status, 'application/json', `${JSON.stringify({ isWell, conditions: findings })}\n`)
  const lines = findings.map(({ name, says }) => `${name}: ${says}`)
  return reply(status, TEXT, `${[isWell ? 'ok' : 'not ok', ...lines].join('\n')}\n`)
}

function reply(status: number, contentType: string, text: string): PageReply {
  // It changes from one moment to the next, and what stands between may keep it otherwise.
  const headers = [
    ['Content-Type', contentType],
    ['Cache-Control', 'no-store'],
  ] as const
  return { status, headers, body: Buffer.from(text) }
}

/** The length stays that of the page, as HTTP wants it. */
function withoutBody({ status, headers, body }: PageReply): PageReply {
  return { status, headers: [...headers, ['Content-Length', String(body.length)]], body: new Uint8Array() }
}
