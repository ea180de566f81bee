import { existsSync } from 'node:fs'
import { UsageError } from '../../config/read.ts'
import { keptDrivePath, openDrives } from '../../daemons/drives.ts'
import { openMetadataService } from '../../daemons/metadata-service.ts'
import { silentLog } from '../../observe/log.ts'
import { compareDocuments } from '../diff/compare.ts'
import { differenceLines, differencesJson } from '../diff/report.ts'
import { readAs } from '../read-as.ts'
import { table } from '../terminal.ts'
import { build } from './build.ts'
import { causesOf } from './causes.ts'
import { compareWithHttp, type Verdict } from './compare-http.ts'
import { covered, freshDocuments, readDrive } from './documents.ts'
import type { ConfigDriveValues } from './options.ts'
import { type Subject, withSubject } from './subject.ts'
import type { Verb } from './verb.ts'

export const verify: Verb = {
  name: 'verify',
  usage: 'SERVER [FILE]',
  operands: 2,
  run: async ([wanted, file], given) => {
    const { values, env, terminal } = given
    const { verdicts, path } = await withSubject(wanted, values, env, async (subject) => {
      const path = file ?? keptPath(subject)
      return { path, verdicts: await verdictsOf(subject, path, values) }
    })
    const stale = verdicts.filter(({ state }) => state !== 'same')
    const isRebuilt = values.rebuild && stale.length > 0
    if (isRebuilt && file !== undefined)
      throw new UsageError('--rebuild replaces the drive that is kept; build another with -o FILE')
    if (values.json) terminal.print(JSON.stringify({ drive: path, documents: verdicts.map(verdictJson) }, null, 2))
    else if (!isRebuilt) table(verdicts.map(verdictRow)).forEach(terminal.print)
    const some = `${path}: ${stale.length} of ${verdicts.length} documents`
    if (stale.length === 0)
      terminal.say(`${path}: all ${verdicts.length} documents say what ${wanted ?? 'the server'} is told over HTTP.`)
    else if (isRebuilt) terminal.say(`${some} were stale (${causesOf(...stale).join('; ')}). It is built anew:`)
    else terminal.say(`${some} are no longer what the server is told.`)
    if (isRebuilt) return build.run(wanted === undefined ? [] : [wanted], given)
    return stale.length === 0 ? 0 : 1
  },
}

export const diff: Verb = {
  name: 'diff',
  usage: 'FILE SERVER',
  operands: 2,
  run: async ([file, wanted], { values, env, terminal }) => {
    if (file === undefined)
      throw new UsageError('name the image and the server: firstboot config-drive diff FILE SERVER')
    const drive = readDrive(file)
    const found = await withSubject(wanted, values, env, async ({ instance }) => {
      const fresh = await freshDocuments(openDrives(values, silentLog), instance, drive.kind)
      return compareDocuments(drive.documents, fresh)
    })
    if (values.json) terminal.print(JSON.stringify({ differences: differencesJson(found) }, null, 2))
    else differenceLines(covered(found)).forEach(terminal.print)
    terminal.say(
      found.length === 0
        ? `${file} is what would be built now.`
        : `${found.length} ${found.length === 1 ? 'value differs' : 'values differ'}: on the drive (-) and in a drive built now (+).`,
    )
    return found.length === 0 ? 0 : 1
  },
}

/** What of a drive no longer holds. @throws DriveProblem, or an error of the system, when it cannot be read */
export async function verdictsOf(
  { instance, server, inventory, store }: Omit<Subject, 'state'>,
  path: string,
  values: ConfigDriveValues | Parameters<typeof openDrives>[0],
): Promise<readonly Verdict[]> {
  const drive = readDrive(path)
  const fresh = await freshDocuments(openDrives(values, silentLog), instance, drive.kind)
  if (drive.kind === 'nocloud') return compareWithHttp(drive.documents, fresh, NOWHERE)
  const service = openMetadataService(inventory, store, '', values, silentLog)
  return compareWithHttp(drive.documents, fresh, await readAs(service, server))
}

/** NoCloud's documents are on no path of the service. */
const NOWHERE = async () => ({ status: 404, body: new Uint8Array() })

function keptPath({ state, server }: Subject): string {
  if (state === undefined)
    throw new UsageError('name the drive too: firstboot config-drive verify -f FILE SERVER DRIVE')
  const path = keptDrivePath(state.machines, server.id)
  if (!existsSync(path))
    throw new UsageError(`${server.name} has no drive yet: firstboot config-drive build ${server.name}`)
  return path
}

function verdictRow(verdict: Verdict): string[] {
  return [verdict.state, verdict.path, causesOf(verdict).join('; ')]
}

function verdictJson(verdict: Verdict): object {
  const { path, state, against, differences } = verdict
  return { path, state, against, why: causesOf(verdict), members: differences.flatMap(({ member }) => member ?? []) }
}
