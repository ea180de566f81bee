import { setTimeout as pause } from 'node:timers/promises'
import { integer, oneOf, text, texts, truth } from '../config/option.ts'
import { logOptions } from '../config/options/daemon.ts'
import { documentOptions } from '../config/options/documents.ts'
import { UsageError } from '../config/read.ts'
import { openTestServer, type TcpPlace, type TestServer } from '../daemons/serve.ts'
import { untilSignal } from '../daemons/until-signal.ts'
import { openMemoryStore } from '../inventory/memory-store.ts'
import { parseIpAddress } from '../inventory/records/address.ts'
import type { RecordSet } from '../inventory/records/records.ts'
import { openLog } from '../observe/log.ts'
import { type Fault, parseFault } from '../serve/fault.ts'
import { type Guest, type GuestRules, guestsByFixedIp } from '../serve/guests.ts'
import { areConfigured, type Entry } from '../serve/journal.ts'
import { formatPlace, parsePlace } from '../serve/listen.ts'
import { isVerdictGood, requestLine, requestRecord, verdictLines, verdictRecords } from '../serve/report.ts'
import { applyFile } from './apply-file.ts'
import { command } from './command.ts'
import { findServer } from './find-server.ts'
import type { Terminal } from './terminal.ts'

export const serve = command({
  usage: '-f FILE',
  description:
    'Answers as the metadata service would, for people who build images: no root, no namespaces, nothing kept. Prints each request with the client it recognises, misbehaves where --fault says so, and ends with a verdict whether each client got what it needs. Exit code 0 when it did, 1 when it did not.',
  options: {
    file: text('FILE', '', 'The inventory file.', { short: 'f' }),
    listen: texts('ADDRESS:PORT', ['127.0.0.1:8080'], 'Where to listen; [IPv6]:PORT and a port alone will do too.'),
    as: text('SERVER', '', 'Every request is that server’s (but for those --guest names).'),
    guest: texts('ADDRESS=SERVER', [], 'Requests from that address are that server’s.'),
    by_header: truth(false, 'A request with X-Instance-ID is that server’s: its id or its name.'),
    fault: texts('PATH:ACTION', [], 'What is to go wrong, such as /openstack/*/user_data:status=503.'),
    until: oneOf(
      ['configured', 'stopped'],
      'stopped',
      'configured: end when the servers of --as and --guest (or else all that ask) have what they need.',
    ),
    timeout: integer('SECONDS', 0, 'End after that time in any case; 0 is never.', { min: 0, max: 86_400 }),
    json: truth(false, 'Print requests and verdicts as JSON, one a line.'),
    ...documentOptions,
    ...logOptions,
    log_level: { ...logOptions.log_level, default: 'error' as const },
  },
  examples: [
    ['firstboot serve -f my.yaml --as web-1', 'any client that can reach 127.0.0.1:8080 is web-1'],
    [
      'firstboot serve -f my.yaml --guest 127.0.0.2=web-1 --guest 127.0.0.3=web-2',
      'curl --interface 127.0.0.3 127.0.0.1:8080/openstack is web-2',
    ],
    ['firstboot serve -f my.yaml --as web-1 --until configured --timeout 120', 'in CI: the exit code tells'],
    [
      "firstboot serve -f my.yaml --as web-1 --fault '/openstack/*/user_data:status=503:first=2'",
      'be in trouble twice',
    ],
  ],
  run: async ({ values, positionals, terminal }) => {
    if (values.file === '' || positionals.length > 0)
      throw new UsageError('name the inventory file: firstboot serve -f FILE')
    const listen = values.listen.map(readPlace)
    const faults = values.fault.map(readFault)
    const store = openMemoryStore()
    await applyFile(store, values.file)
    const { records } = await store.load()
    const { rules, expected } = readGuests(records, values, values.guest)
    const ended = untilSignal()
    const started = performance.now()
    const width = Math.max(...[...records.server.values()].map(({ name }) => name.length), 11)
    const onEntry = (entry: Entry) =>
      terminal.print(
        values.json
          ? requestRecord(entry, new Date().toISOString())
          : requestLine(entry, (performance.now() - started) / 1000, width, terminal.paint),
      )
    const log = openLog(values.log_level, 'serve')
    const server = await openTestServer(store, { values, listen, rules, faults, onEntry, log })
    introduce(server.places, rules, faults, terminal)

    const { journal } = server
    const isAwaited = values.until === 'configured'
    const ways: Promise<unknown>[] = [ended]
    if (isAwaited) ways.push(journal.configured(expected))
    if (values.timeout > 0) ways.push(pause(values.timeout * 1000))
    await Promise.race(ways)
    await server.close()

    const heard = journal.heard()
    const lines = values.json ? verdictRecords(heard) : verdictLines(heard, expected, terminal.paint)
    lines.forEach(terminal.print)
    return (isAwaited ? areConfigured(heard, expected) : isVerdictGood(heard)) ? 0 : 1
  },
})

function readPlace(written: string): TcpPlace {
  const place = parsePlace(written)
  if (place === undefined)
    throw new UsageError(
      `--listen: ${JSON.stringify(written)} is no place to listen; write ADDRESS:PORT, [IPv6]:PORT or PORT, such as 127.0.0.1:8080`,
    )
  return place
}

function readFault(written: string): Fault {
  try {
    return parseFault(written)
  } catch (error) {
    throw new UsageError(`--fault: ${error instanceof Error ? error.message : error}`)
  }
}

interface GuestValues {
  readonly as: string
  readonly by_header: boolean
}

/** Who is who, and the servers somebody took the trouble to name. With one server in the file there is no question. */
function readGuests(
  records: RecordSet,
  { as, by_header: isByHeader }: GuestValues,
  written: readonly string[],
): { readonly rules: GuestRules; readonly expected: ReadonlySet<string> } {
  const named = written.map((each) => readGuest(records, each))
  const [only, ...others] = records.server.values()
  const isPlain = as === '' && named.length === 0 && !isByHeader && others.length === 0
  const everybody = isPlain ? only : as === '' ? undefined : findServer(records, as)
  const fixed = everybody === undefined ? guestsByFixedIp(records) : new Map()
  return {
    rules: {
      byHeader: isByHeader ? (server) => serverNamed(records, server) : undefined,
      byAddress: new Map([...fixed, ...named]),
      everybody,
    },
    expected: new Set([...named.map(([, { name }]) => name), ...(as === '' || !everybody ? [] : [everybody.name])]),
  }
}

function readGuest(records: RecordSet, written: string) {
  const [, address = '', server = ''] = /^([^=]+)=(.+)$/.exec(written) ?? []
  const parsed = parseIpAddress(address)
  if (parsed === undefined)
    throw new UsageError(
      `--guest: ${JSON.stringify(written)} is not understood; write ADDRESS=SERVER, such as 127.0.0.2=web-1`,
    )
  return [parsed, findServer(records, server)] as const
}

function serverNamed(records: RecordSet, wanted: string): Guest | undefined {
  return records.server.get(wanted.toLowerCase()) ?? [...records.server.values()].find(({ name }) => name === wanted)
}

/** More than a screen of addresses helps nobody. */
const MAX_LISTED = 12

function introduce(
  places: TestServer['places'],
  rules: GuestRules,
  faults: readonly Fault[],
  terminal: Terminal,
): void {
  const { byAddress, byHeader, everybody } = rules
  const addresses = [...byAddress].map(([address, { name }]) => `  from ${address}: ${name}`)
  const left = addresses.length - MAX_LISTED
  terminal.say(
    `firstboot serve listens on ${places.map((place) => `http://${formatPlace(place)}`).join(' and ')}. Ctrl-C ends it.`,
  )
  if (byHeader) terminal.say('  with X-Instance-ID: the server of that id or name')
  addresses.slice(0, MAX_LISTED).forEach(terminal.say)
  if (left > 0) terminal.say(`  and ${left} more`)
  terminal.say(
    everybody ? `  ${addresses.length > 0 ? 'anybody else' : 'anybody'}: ${everybody.name}` : '  anybody else: 404',
  )
  for (const { text } of faults) terminal.say(`  fault: ${text}`)
}
