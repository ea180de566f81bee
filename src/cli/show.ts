import { truth } from '../config/option.ts'
import { documentOptions } from '../config/options/documents.ts'
import { configDriveOptions, machineOptions } from '../config/options/machines.ts'
import { stateOptions } from '../config/options/state.ts'
import { UsageError } from '../config/read.ts'
import { type Elsewhere, elsewhere, type MachineValues } from '../daemons/machines.ts'
import { findRecords, listTable, parseNoun } from '../inventory/file/listing.ts'
import { toWire, type Wire } from '../inventory/file/wire.ts'
import { parseIpAddress } from '../inventory/records/address.ts'
import { bridgeName } from '../inventory/records/network.ts'
import type { Port } from '../inventory/records/port.ts'
import type { Noun, RecordSet, Records } from '../inventory/records/records.ts'
import { command } from './command.ts'
import { type DriveState, driveRows, driveState } from './config-drive/freshness.ts'
import { withSubject } from './config-drive/subject.ts'
import { findServer } from './find-server.ts'
import { NOUN_WORDS, nounOf, readRecords } from './read-records.ts'
import { type Parts, partsOf } from './show/parts.ts'
import { table } from './terminal.ts'

export const show = command({
  usage: '[NOUN] NAME|ID',
  operands: 2,
  description: `Shows everything the inventory holds about one thing; of a server, all that its guest may ever read. NOUN is one of ${NOUN_WORDS.join(', ')}; without it a server is meant.`,
  options: {
    json: truth(false, 'Print it as JSON.'),
    qemu: truth(false, 'Of a server: print the QEMU command line that would run it.'),
    libvirt_xml: truth(false, 'Of a server: print the libvirt domain that would run it.'),
    ...stateOptions,
    ...documentOptions,
    ...configDriveOptions,
    ...machineOptions,
  },
  examples: [
    ['firstboot show web-1', 'with its ports, and whether its config drive is stale'],
    ['firstboot show web-1 --libvirt-xml', 'to be run elsewhere: virsh define /dev/stdin'],
    ['firstboot show network blue --json', 'for programs'],
  ],
  run: async ({ values, positionals, env, terminal }) => {
    const { noun, wanted } = subjectOf(positionals)
    if (values.qemu || values.libvirt_xml) {
      if (noun !== 'server') throw new UsageError('--qemu and --libvirt-xml are about servers')
      if (values.qemu && values.libvirt_xml) throw new UsageError('choose one of --qemu and --libvirt-xml')
      const { qemu, libvirtXml } = await elsewhereOf(wanted, values, env)
      terminal.print(values.qemu ? shellLine(qemu) : libvirtXml.trimEnd())
      return 0
    }
    const { wire: own, parts } = find(noun, wanted, await readRecords(values, env))
    const wire = parts === undefined ? own : { ...own, [parts.field]: parts.wires }
    const drive = noun === 'server' ? await driveOf(wanted, values, env) : undefined
    if (values.json) {
      terminal.print(JSON.stringify(drive === undefined ? wire : { ...wire, drive }, null, 2))
      return 0
    }
    const rows = Object.entries(wire).flatMap(([field, value]) =>
      field === parts?.field ? partRows(parts) : lines(field, value),
    )
    table([...rows, ...(drive === undefined ? [] : driveRows(drive))]).forEach(terminal.print)
    return 0
  },
})

/** What stands alone and is no noun is a server. @throws UsageError */
function subjectOf([first, second]: readonly string[]): { readonly noun: Noun; readonly wanted: string | undefined } {
  const isAlone = second === undefined && first !== undefined && parseNoun(first) === undefined
  return isAlone ? { noun: 'server', wanted: first } : { noun: nounOf(first), wanted: second }
}

type ShowValues = MachineValues & { readonly state_dir: string; readonly lab: boolean }

function driveOf(wanted: string | undefined, values: ShowValues, env: NodeJS.ProcessEnv): Promise<DriveState> {
  return withSubject(wanted, { ...values, file: '' }, env, (subject) => driveState(subject, values))
}

function elsewhereOf(wanted: string | undefined, values: ShowValues, env: NodeJS.ProcessEnv): Promise<Elsewhere> {
  return withSubject(wanted, { ...values, file: '' }, env, async ({ server, inventory, state }) =>
    elsewhere(server, inventory.records, state?.machines ?? '', values),
  )
}

/** One option a line, to be pasted into a shell. */
function shellLine(words: readonly string[]): string {
  const quoted = words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`))
  return quoted.join(' ').replaceAll(/ (?=-[a-z])/g, ' \\\n  ')
}

interface Found {
  readonly wire: Wire
  readonly parts?: Parts
}

function find(noun: Noun, wanted: string | undefined, records: RecordSet): Found {
  if (noun === 'server') return foundServer(records, wanted)
  if (wanted === undefined) throw new UsageError(`name the ${noun.replaceAll('_', ' ')}: its name or its id`)
  const named = findRecords(noun, wanted, records)
  const [record, second] = named.length === 0 && noun === 'port' ? portsWith(wanted, records) : named
  if (record === undefined) {
    const there = listTable(noun, records).length - 1
    throw new UsageError(
      `there is no ${noun.replaceAll('_', ' ')} ${wanted}; the inventory has ${there}: firstboot list ${noun}s`,
    )
  }
  if (second !== undefined) throw new UsageError(`several are called ${wanted}; use an id: firstboot list ${noun}s`)
  if (noun === 'network') return foundNetwork(record as Records['network'], records)
  if (noun === 'router') return foundRouter(record as Records['router'], records)
  return { wire: toWire(noun, record as Records[typeof noun]) }
}

/** Most ports have no name; one knows them by an address. */
function portsWith(address: string, { port }: RecordSet): readonly Port[] {
  const ip = parseIpAddress(address)
  const mac = address.toLowerCase()
  return [...port.values()].filter(
    ({ macAddress, fixedIps }) => macAddress === mac || fixedIps.some(({ ipAddress }) => ipAddress === ip),
  )
}

/** A network with the bridge to plug into, and its subnets. */
function foundNetwork(network: Records['network'], records: RecordSet): Found {
  const subnets = [...records.subnet.values()].filter(({ networkId }) => networkId === network.id)
  const wire = { ...toWire('network', network), bridge: bridgeName(network.id) }
  return { wire, parts: partsOf('subnets', 'subnet', subnets, records) }
}

function foundRouter(router: Records['router'], records: RecordSet): Found {
  const ports = [...records.port.values()].filter(({ deviceId }) => deviceId === router.id)
  return { wire: toWire('router', router), parts: partsOf('interfaces', 'port', ports, records) }
}

/** A server with its ports: their addresses are the first thing one looks for. */
function foundServer(records: RecordSet, wanted: string | undefined): Found {
  const server = findServer(records, wanted)
  const ports = server.portIds.flatMap((id) => records.port.get(id) ?? [])
  return { wire: toWire('server', server), parts: partsOf('ports', 'port', ports, records) }
}

function partRows({ field, lines: own }: Parts): string[][] {
  return own.length === 0 ? [[field, 'none']] : own.map((line, i) => [i === 0 ? field : '', line])
}

const SECRETS: ReadonlySet<string> = new Set(['admin_pass', 'password'])

/** A list has a line for each of its items. */
function lines(field: string, value: unknown): string[][] {
  if (!Array.isArray(value) || value.length === 0) return [[field, printed(field, value)]]
  return value.map((item, i) => [i === 0 ? field : '', printed(field, item)])
}

/** On a terminal secrets are covered; `--json` is for programs and shows them. */
function printed(field: string, value: unknown): string {
  if (SECRETS.has(field) && value !== null && value !== '') return '***'
  if (field === 'user_data' && typeof value === 'string') return firstLine(Buffer.from(value, 'base64'))
  return typeof value === 'string' ? JSON.stringify(value).slice(1, -1) : JSON.stringify(value)
}

/** What kind of user data it is shows in its first line; all of it is what `firstboot render` prints. */
function firstLine(bytes: Buffer): string {
  const [line = ''] = bytes.toString('latin1').split('\n', 1)
  return `${bytes.length} bytes, beginning ${JSON.stringify(line.slice(0, 60))}`
}
