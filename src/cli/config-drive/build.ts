import { existsSync, lstatSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { UsageError } from '../../config/read.ts'
import { FORMATS } from '../../config-drive/formats.ts'
import { reasonText } from '../../config-drive/need.ts'
import { readerProblems } from '../../config-drive/readers.ts'
import {
  type DriveKind,
  type DriveRequest,
  keptDrivePath,
  makeMachineFolder,
  needOf,
  openDrives,
  withDrive,
} from '../../daemons/drives.ts'
import { refreshMedium } from '../../daemons/media-change.ts'
import { driveDevice } from '../../host/disk-images.ts'
import { silentLog } from '../../observe/log.ts'
import type { Terminal } from '../terminal.ts'
import type { ConfigDriveValues } from './options.ts'
import { type Subject, withSubject } from './subject.ts'
import type { Verb } from './verb.ts'

export const build: Verb = {
  name: 'build',
  usage: 'SERVER | -f server.yaml [-o FILE]',
  operands: 1,
  run: ([wanted], { values, env, terminal }) =>
    withSubject(wanted, values, env, async (subject) => {
      const request = requestOf(values, env)
      if (values.output === '') return buildKept(subject, request, values, terminal)
      checkOutput(values.output)
      await openDrives(values, silentLog).write(subject.instance, values.output, request)
      report(values.output, request.kind, subject, values, terminal)
      return 0
    }),
}

/** The instance's own drive, which is never replaced unasked. */
async function buildKept(
  subject: Subject,
  request: DriveRequest,
  values: ConfigDriveValues,
  terminal: Terminal,
): Promise<number> {
  const { state, server, instance } = subject
  if (state === undefined) throw new UsageError('say where to write the drive: -o FILE')
  if (request.kind === 'nocloud')
    throw new UsageError('an instance’s own drive is iso9660 or vfat; a nocloud one needs -o FILE')
  const path = keptDrivePath(state.machines, server.id)
  const wasThere = existsSync(path)
  if (wasThere && !values.rebuild) {
    terminal.say(
      `${server.name} has a drive already: ${path}. firstboot config-drive verify ${server.name} tells whether it is stale, --rebuild replaces it.`,
    )
    return 1
  }
  makeMachineFolder(state.machines, server.id)
  // Without a word about the format a drive stays what it is: a guest that looked for a disk finds a disk again.
  const kind = wasThere && values.format === '' ? kindOf(path, request.kind) : request.kind
  await openDrives(values, silentLog).write(instance, path, { ...request, kind })
  report(path, kind, subject, values, terminal)
  if (wasThere) terminal.say(await refreshMedium(state, server.id, values.running, values.connection_uri))
  return 0
}

function kindOf(path: string, otherwise: DriveKind): DriveKind {
  const device = driveDevice(path)
  return DRIVE_FORMATS.find((format) => FORMATS[format].device === device) ?? otherwise
}

const DRIVE_FORMATS = ['iso9660', 'vfat'] as const

/** What kind of drive the options ask for. @throws UsageError */
export function requestOf(values: ConfigDriveValues, env: NodeJS.ProcessEnv): DriveRequest {
  const kind = kindNamed(values.format || values.config_drive_format)
  const seconds = values.timestamp || env['SOURCE_DATE_EPOCH'] || ''
  if (!/^\d*$/.test(seconds)) throw new UsageError(`--timestamp: ${JSON.stringify(seconds)} is not a number of seconds`)
  return {
    kind,
    sizeBytes: bytesOf(values.size),
    networkConfig: values.network_config === '1' ? 1 : 2,
    ...(values.seed === '' ? {} : { seed: values.seed }),
    ...(seconds === '' ? {} : { timestamp: new Date(Number(seconds) * 1000) }),
  }
}

const KINDS: readonly DriveKind[] = ['iso9660', 'vfat', 'nocloud']

function kindNamed(name: string): DriveKind {
  const kind = KINDS.find((each) => each === name)
  if (kind === undefined) throw new UsageError(`--format: ${JSON.stringify(name)} is none of ${KINDS.join(', ')}`)
  return kind
}

const UNITS: Readonly<Record<string, number>> = { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3 }

function bytesOf(size: string): number {
  const [, number = '', unit = ''] = /^(\d+)([KMG]?)(?:i?B)?$/i.exec(size) ?? []
  const bytes = Number(number) * (UNITS[unit.toUpperCase()] ?? 0)
  if (bytes > 0) return bytes
  throw new UsageError(`--size: ${JSON.stringify(size)} is no size, such as 64M or 2097152`)
}

/** A device would be replaced by a file of its name. @throws UsageError */
function checkOutput(path: string): void {
  if (path === '-') throw new UsageError('--output: a drive is not written to standard output; name a file')
  const folder = dirname(path)
  if (statSync(folder, { throwIfNoEntry: false }) === undefined)
    throw new UsageError(`--output: there is no folder ${folder}; make it (mkdir -p ${folder}), or write elsewhere`)
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found !== undefined && !found.isFile())
    throw new UsageError(`--output: ${path} is there and is not a regular file; write to a file, then copy it (dd)`)
}

function report(
  path: string,
  kind: DriveKind,
  { server, instance, inventory, state }: Subject,
  values: ConfigDriveValues,
  terminal: Terminal,
) {
  const { facts, problems } = withDrive(path, (drive) => ({
    facts: {
      path,
      format: kind,
      label: drive.label,
      bytes: lstatSync(path).size,
      files: drive.entries.filter((entry) => entry.kind === 'file').length,
    },
    problems: readerProblems(drive),
  }))
  const need =
    state === undefined ? undefined : needOf(server, inventory.records, state.machines, values.force_config_drive)
  if (values.json) terminal.print(JSON.stringify({ ...facts, warnings: problems }, null, 2))
  else terminal.print(`${path}: ${facts.files} files, ${facts.bytes} bytes, ${kind}, label ${facts.label}`)
  for (const problem of problems) terminal.say(`Note: ${problem}.`)
  if (kind === 'nocloud' && instance.files.length > 0)
    terminal.say('Note: NoCloud has no place for injected files; write_files in the user data makes files.')
  if (kind === 'vfat') terminal.say(`Note: in live migration this is ${FORMATS.vfat.migration}.`)
  const reason = need?.reasons.find((each) => each !== 'built-before')
  if (need !== undefined && reason !== undefined)
    terminal.say(`${server.name} gets a config drive: ${reasonText(reason)}.`)
}
