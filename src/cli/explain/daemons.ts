import { existsSync, realpathSync, statfsSync } from 'node:fs'
import { resolve } from 'node:path'
import { stateDirectory } from '../../config/options/state.ts'
import { readOptions } from '../../config/read.ts'
import type { StateDirectory } from '../../daemons/state-directory.ts'
import type { DatapathStatus } from '../../datapath/status.ts'
import type { Descriptors, HostFacts } from '../../explain/facts.ts'
import { environmentOf, workingDirectoryOf } from '../../host/examine/environment.ts'
import { type Known, known } from '../../host/examine/known.ts'
import { neighbours } from '../../host/examine/neighbours.ts'
import { openFilesOf } from '../../host/examine/open-files.ts'
import { lockHolder, stateFacts } from '../../host/examine/state.ts'
import { patience } from '../../host/slowdown.ts'
import { askOnce } from '../../http/question.ts'
import { rows } from '../commands.ts'

/** A daemon of ours that works on the state directory, with the options it was started with. */
export interface RunningDaemon {
  readonly command: string
  readonly pid: number
  readonly values: Readonly<Record<string, unknown>>
}

/** What tells one state directory from others. */
type Place = Pick<StateDirectory, 'path' | 'socketKeeper'>

/** Those of this state directory. unknown to all but root. */
export async function runningDaemons(state: Place): Promise<Known<readonly RunningDaemon[]>> {
  const found = neighbours()
  if ('unknown' in found) return found
  const daemons = await Promise.all(
    found.value.firstboots.map(async ({ pid, command, arguments: args }) => {
      const values = await valuesOf(pid, command, args)
      return values === undefined || !isOn(state, pid, values) ? [] : [{ command, pid, values }]
    }),
  )
  return { value: daemons.flat() }
}

async function valuesOf(pid: number, name: string, args: readonly string[]) {
  const row = rows.find((each) => each.name === name && each.group === 'daemon' && name !== 'datapath')
  const environment = environmentOf(pid)
  if (row === undefined || 'unknown' in environment) return undefined
  try {
    const { options } = await row.load()
    const { values } = readOptions(options, args.slice(args.indexOf(name) + 1), environment.value)
    const directory = stateDirectory({ lab: false, state_dir: '', ...values }, environment.value)
    return { ...values, directory: resolve(workingDirectoryOf(pid), directory) }
  } catch {
    return undefined // of another version
  }
}

function isOn(state: Place, pid: number, values: Readonly<Record<string, unknown>>): boolean {
  const keeper = values['socket_keeper']
  if (typeof keeper === 'string' && keeper !== '')
    return resolve(workingDirectoryOf(pid), keeper) === state.socketKeeper
  const directory = String(values['directory'])
  return existsSync(directory) && realpathSync(directory) === realpathSync(state.path)
}

/** It looks at everything before it answers. */
const STATUS_MILLISECONDS = 1_600

/** Asks the datapath's daemon. @returns undefined when it does not answer in time */
export async function askOperator<T>(
  state: StateDirectory,
  path: string,
  milliseconds: number,
): Promise<T | undefined> {
  const answer = await askOnce({ to: { socketPath: state.management }, path, milliseconds })
  return answer.outcome === 'answered' && answer.status === 200 ? (JSON.parse(answer.body) as T) : undefined
}

export async function hostFacts(state: StateDirectory, daemons: Known<readonly RunningDaemon[]>): Promise<HostFacts> {
  const running = 'value' in daemons ? daemons.value : []
  const holder = lockHolder(state.path)
  const status =
    holder === undefined
      ? undefined
      : await askOperator<DatapathStatus | null>(state, '/datapath/status', patience(STATUS_MILLISECONDS))
  const isKept = running.some(({ command }) => ['up', 'dhcp-agent', 'ovn-metadata-agent'].includes(command))
  return {
    holder,
    daemons: running.map(({ command, pid }) => ({ command, pid })),
    answersOperator: holder === undefined && !isKept ? undefined : status !== undefined,
    troubles: [...(status?.namespaces ?? []), ...(status?.others ?? [])].flatMap(({ where, trouble }) =>
      trouble === null ? [] : [{ where, what: trouble.what, message: trouble.message }],
    ),
    freeBytes: known(state.path, () => {
      const { bavail, bsize } = statfsSync(state.path)
      return bavail * bsize
    }),
    descriptors: running.flatMap(({ pid, command }): readonly Descriptors[] => {
      const files = openFilesOf(pid)
      return files === undefined ? [] : [{ pid, command, ...files }]
    }),
    newest: stateFacts(state.path, []).newest,
  }
}
