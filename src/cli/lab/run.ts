import { type AllInOne, openAllInOne } from '../../daemons/all-in-one.ts'
import type { DatapathValues } from '../../daemons/datapath-config.ts'
import type { GuestRequest } from '../../daemons/local-answers.ts'
import type { DocumentValues } from '../../daemons/metadata-service.ts'
import { openStateDirectory } from '../../daemons/state-directory.ts'
import { untilSignal } from '../../daemons/until-signal.ts'
import type { InstanceId } from '../../inventory/records/ids.ts'
import type { Server } from '../../inventory/records/server.ts'
import { openSqliteStore } from '../../inventory/sql/sqlite.ts'
import type { LogLevel } from '../../observe/log.ts'
import { openLog } from '../../observe/log.ts'
import { applyFile } from '../apply-file.ts'
import type { Terminal } from '../terminal.ts'
import { followLines } from './follow-lines.ts'
import { type Journal, openJournal, visible } from './journal.ts'
import { hints, topology, verdict } from './report.ts'
import { verifyGuest } from './verify.ts'

export interface LabGiven {
  readonly values: DocumentValues &
    DatapathValues & { readonly file: string; readonly once: boolean; readonly log_level: LogLevel }
  readonly terminal: Terminal
}

/** A guest that has not finished by then is shown as it is. It goes on, for whoever wants to see what it waits for. */
const BOOT_MILLISECONDS = 60_000
/** Between two remarks that it still takes. */
const PROGRESS_MILLISECONDS = 5_000

/** The lab inside its sandbox. @returns the exit code */
export async function runLab(directory: string, { values, terminal }: LabGiven): Promise<number> {
  const state = await openStateDirectory(directory)
  const signalled = untilSignal()
  const store = await openSqliteStore(state.database)
  await applyFile(store, values.file)
  const records = (await store.load()).records
  const guests = [...records.server.values()]
    .filter(({ hypervisor }) => hypervisor === 'namespace')
    .toSorted((a, b) => a.name.localeCompare(b.name))
  topology(records, terminal).forEach(terminal.print)
  const journal = openJournal(guests, terminal)
  const asked = new Map<InstanceId, Set<string>>(guests.map(({ id }) => [id, new Set()]))
  const lastLines = new Map<InstanceId, string>()
  const onRequest = (each: GuestRequest) => {
    asked.get(each.caller.instanceId)?.add(each.request.target)
    journal.request(each)
  }
  const all = await openAllInOne(state, store, { values, log: openLog(values.log_level, 'lab'), onRequest })
  await all.started
  const stopFollowing = guests.map(({ id, name }) =>
    followLines(all.guests.consoleOf(id), (line) => {
      lastLines.set(id, line)
      journal.console(name, line)
    }),
  )
  const booted = allBooted(guests, all, journal, terminal)
  const ended = await Promise.race([booted, signalled])
  const isInterrupted = typeof ended === 'string'
  const verified = guests.map((server) => ({
    server,
    findings: verifyGuest(
      server,
      records,
      (name) => all.guests.leftBy(server.id, name),
      asked.get(server.id) ?? new Set(),
      values.dhcp_domain,
    ),
    lastLine: visible(lastLines.get(server.id) ?? '').slice(0, 200),
  }))
  if (!isInterrupted) verdict(verified, records, terminal).forEach(terminal.print)
  if (!isInterrupted && !values.once) {
    hints(guests, records, terminal).forEach(terminal.print)
    await signalled
  }
  for (const stop of stopFollowing) stop()
  terminal.say('Taking everything away.')
  await all.teardown()
  const isRight = verified.every(({ findings }) => findings.every((finding) => finding.verdict === 'right'))
  return isRight && ended === true ? 0 : 1
}

/** Resolves when every guest has said how its boot ended. @returns whether all are configured */
async function allBooted(
  guests: readonly Server[],
  all: AllInOne,
  journal: Journal,
  terminal: Terminal,
): Promise<boolean> {
  const started = performance.now()
  const statusOf = ({ id }: Server) => all.guests.leftBy(id, 'status')?.toString().trim()
  let told = 0
  for (let waited = 0; waited < BOOT_MILLISECONDS; waited = performance.now() - started) {
    const statuses = guests.map(statusOf)
    const booting = guests.filter((_, i) => statuses[i] === undefined).map(({ name }) => name)
    if (booting.length === 0) return statuses.every((status) => status === 'configured')
    if (waited >= told + PROGRESS_MILLISECONDS) {
      told = waited
      const left = Math.round((BOOT_MILLISECONDS - waited) / 1000)
      terminal.say(`Waiting for ${booting.join(', ')} to boot, ${left} s at most.`)
    }
    await journal.next(100)
  }
  return false
}
