import { chmod, rm } from 'node:fs/promises'
import { openHttpClient } from '../http/client.ts'
import { BodyTooLarge } from '../http/errors.ts'
import { Headers, type HttpReply, type HttpRequest } from '../http/messages.ts'
import { type Serving, serve } from '../http/server.ts'
import { Unreachable } from '../http/upstream-errors.ts'
import { wholeBody } from '../http/whole-body.ts'
import type { Log } from '../observe/log.ts'
import { hopServerOptions } from './guest-server.ts'
import type { StateDirectory } from './state-directory.ts'

/** What a running daemon is asked by its operator, over a unix socket in the state directory that is its owner's alone. */

/** From `GET /datapath/status` to what answers: JSON in (undefined without a body), JSON out. */
export type ManagementRoutes = Readonly<Record<string, (asked: unknown) => Promise<unknown>>>

/** The question makes no sense; the message says what would. */
export class BadQuestion extends Error {
  override readonly name = 'BadQuestion'
}

/** Records of a large inventory fit. */
const BODY_BYTES = 256 * 1024 * 1024

/** Listens. The caller owns the state directory, so a socket that is there is a killed predecessor's. */
export async function openManagement(
  { management }: Pick<StateDirectory, 'management'>,
  routes: ManagementRoutes,
  log: Log,
): Promise<Serving> {
  await rm(management, { force: true })
  const serving = await serve((request) => answer(request, routes, log), { path: management }, hopServerOptions(log))
  await chmod(management, 0o600)
  return serving
}

async function answer(request: HttpRequest, routes: ManagementRoutes, log: Log): Promise<HttpReply> {
  const [path = ''] = request.target.split('?', 1)
  const route = routes[`${request.method} ${path}`]
  if (route === undefined) return reply(404, { error: `there is no ${request.method} ${path}` })
  try {
    const body = Buffer.from(await request.body(BODY_BYTES)).toString('utf8')
    return reply(200, await route(body === '' ? undefined : parsed(body)))
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    if (error instanceof BadQuestion || error instanceof BodyTooLarge) return reply(400, { error: message })
    log.error({ err: error, path }, 'a question of the operator cannot be answered')
    return reply(500, { error: message })
  }
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch (error) {
    throw new BadQuestion(`the body is no JSON: ${error instanceof Error ? error.message : error}`)
  }
}

function reply(status: number, document: unknown): HttpReply {
  const body = Buffer.from(JSON.stringify(document))
  return { status, headers: [['Content-Type', 'application/json']], body }
}

const NOBODY_LISTENS = /\b(ENOENT|ECONNREFUSED)\b/

/** Asks the daemon that runs on a state directory. @throws Error saying what it said, or that none runs */
export async function askManagement(
  { management, path }: Pick<StateDirectory, 'management' | 'path'>,
  question: `${'GET' | 'POST' | 'PUT'} /${string}`,
  asked?: unknown,
): Promise<unknown> {
  const [method = '', target = ''] = question.split(' ')
  const client = openHttpClient([{ socketPath: management }], { limits: { hold: 0 } })
  try {
    const body = asked === undefined ? new Uint8Array() : Buffer.from(JSON.stringify(asked))
    const answer = await client.send({ method, target, headers: new Headers([]), body })
    const answered: unknown = JSON.parse(Buffer.from(await wholeBody(answer)).toString('utf8'))
    if (answer.status === 200) return answered
    throw new Error(errorIn(answered) ?? `it was answered with status ${answer.status}`)
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error
    const nobody = `nobody serves ${path}: start firstboot up, dhcp-agent or ovn-metadata-agent, or name another --state-dir`
    // That there is no socket, or nobody behind it, says no more.
    throw NOBODY_LISTENS.test(String(error.cause)) ? new Error(nobody) : new Error(nobody, { cause: error })
  } finally {
    await client.close()
  }
}

function errorIn(answered: unknown): string | undefined {
  return typeof answered === 'object' && answered !== null && 'error' in answered ? String(answered.error) : undefined
}
