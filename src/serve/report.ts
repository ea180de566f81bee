import type { Exchange } from '../guest-clients/exchange.ts'
import type { Recognised } from '../guest-clients/session.ts'
import { judge, type Lack, type Verdict } from '../guest-clients/verdict.ts'
import type { Entry, Heard } from './journal.ts'

/** Colours a text, or does not. */
export type Paint = (colour: 'dim' | 'red' | 'green' | 'yellow' | 'cyan', text: string) => string

/** As wide as `cloud-init (OpenStack) 22.4.2`. */
const CLIENT_WIDTH = 29

/** One line for a request. @param seconds  since the start */
export function requestLine(entry: Entry, seconds: number, serverWidth: number, paint: Paint): string {
  const { reply, exchange, sender, bytes, milliseconds } = entry
  const { method, target } = reply.request
  const client = clientName(sender, exchange).padEnd(CLIENT_WIDTH)
  const facts = [
    paint('dim', `${seconds.toFixed(2)}s`.padStart(8)),
    paint('cyan', serverName(reply.guest?.name, reply.request.remoteAddress).padEnd(serverWidth)),
    sender === undefined ? paint('dim', client) : client,
    `${method} ${printable(target)}`,
    paint(colourOf(exchange), exchange.status === null ? endOf(entry) : String(exchange.status)),
    `${bytes} bytes`,
    `${milliseconds.toFixed(1)} ms`,
    ...(reply.fault === undefined ? [] : [paint('yellow', `fault ${reply.fault.text}`)]),
  ]
  return facts.join('  ')
}

/** The same as one JSON line. @param time  ISO 8601 */
export function requestRecord(entry: Entry, time: string): string {
  const { reply, exchange, sender, bytes, milliseconds } = entry
  return JSON.stringify({
    time,
    server: reply.guest?.name ?? null,
    address: reply.request.remoteAddress,
    client: sender?.client.name ?? null,
    version: sender?.version ?? null,
    user_agent: exchange.userAgent ?? null,
    method: reply.request.method,
    target: reply.request.target,
    status: exchange.status,
    bytes,
    milliseconds: Number(milliseconds.toFixed(1)),
    whole: exchange.isWhole,
    fault: reply.fault?.text ?? null,
  })
}

/** What each guest ended up with. @param expected  names of servers that were to ask */
export function verdictLines(heard: readonly Heard[], expected: ReadonlySet<string>, paint: Paint): string[] {
  const known = new Set(heard.map(({ server }) => server))
  const silent = [...expected].filter((name) => !known.has(name))
  if (heard.length + silent.length === 0) return ['Nobody has asked for anything.']
  return [
    ...heard.flatMap((each) => heardLines(each, paint)),
    ...silent.map((name) => paint('red', `${name} has not asked for anything.`)),
  ]
}

/** Whether no client that was recognised lacks anything. */
export function isVerdictGood(heard: readonly Heard[]): boolean {
  return heard.every(({ session }) => judge(session).every(({ lacks }) => lacks.length === 0))
}

/** The same as JSON lines, one for each client, or for each guest without one. */
export function verdictRecords(heard: readonly Heard[]): string[] {
  return heard.flatMap(({ server, remoteAddress, requests, session }) => {
    const guest = { server: server ?? null, address: remoteAddress, requests }
    const verdicts = judge(session)
    const unknown = { verdict: 'unknown', ...guest, client: null, version: null, lacks: [] }
    if (verdicts.length === 0) return JSON.stringify(unknown)
    return verdicts.map(({ client, version, lacks }) =>
      JSON.stringify({
        verdict: lacks.length === 0 ? 'configured' : 'incomplete',
        ...guest,
        client: client.name,
        version: version ?? null,
        lacks: lacks.map((lack) => ({ what: lack.what, why: reasonOf(lack) })),
      }),
    )
  })
}

function heardLines({ server, remoteAddress, requests, session }: Heard, paint: Paint): string[] {
  if (server === undefined)
    return [
      paint('red', `${remoteAddress} is no server’s address and was told nothing (${count(requests)}).`),
      `  Say who it is with --guest ${remoteAddress}=SERVER or --as SERVER.`,
    ]
  const verdicts = judge(session)
  if (verdicts.length > 0) return verdicts.flatMap((verdict) => clientLines(server, requests, verdict, paint))
  const agents = new Set([...session.last.values()].map((exchange) => clientName(undefined, exchange)))
  return [
    paint(
      'yellow',
      `${server}: no client that is known here has asked (${count(requests)}: ${[...agents].join(', ')}).`,
    ),
  ]
}

function clientLines(server: string, requests: number, verdict: Verdict, paint: Paint): string[] {
  const { client, lacks } = verdict
  const name = `${server}: ${withVersion(verdict)}`
  if (lacks.length === 0) return [paint('green', `${name} has everything it needs (${count(requests)}).`)]
  return [
    paint('red', `${name} lacks:`),
    ...lacks.map((lack) => `  ${printable(lack.what)}: ${reasonOf(lack)}`),
    `  What ${client.name} makes of failures: ${client.onFailure}.`,
  ]
}

function reasonOf({ last }: Lack): string {
  if (last === undefined) return 'it has not asked for it'
  if (last.status === null) return 'the last time, the connection ended without an answer'
  if (last.isWhole || last.status >= 400) return `the last answer was ${last.status}`
  return `the last answer (${last.status}) did not arrive as it should`
}

function clientName(sender: Recognised | undefined, { userAgent }: Exchange): string {
  if (sender !== undefined) return withVersion(sender)
  return userAgent === undefined ? '-' : printable(userAgent.split(' ')[0] ?? '').slice(0, CLIENT_WIDTH)
}

function withVersion({ client, version }: Recognised): string {
  return version === undefined ? client.name : `${client.name} ${printable(version)}`
}

function serverName(server: string | undefined, remoteAddress: string): string {
  return server ?? `(${remoteAddress})`
}

function endOf({ reply }: Entry): string {
  return reply.fault?.breakage?.kind === 'reset' ? 'reset' : 'client gone'
}

function colourOf({ status, isWhole }: Exchange): 'green' | 'yellow' | 'red' {
  if (status === null || status >= 500) return 'red'
  return status < 400 && isWhole ? 'green' : 'yellow'
}

function count(requests: number): string {
  return requests === 1 ? 'one request' : `${requests} requests`
}

/** What a client sent must not move the cursor of whoever reads it. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '?')
}
