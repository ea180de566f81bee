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
import { type Row, rows } from '../commands.ts'
import { LAB_STATE } from '../lab/inner.ts'

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

/** `node …/bin/firstboot.js lab`, as a lab starts itself in its sandbox. */
const LAB_AT = 2

async function valuesOf(pid: number, name: string, args: readonly string[]) {
  const environment = environmentOf(pid)
  if ('unknown' in environment) return undefined
  // The shells that wait for a lab have its words and its environment, and others in front.
  const labState = args.indexOf(name) === LAB_AT ? environment.value[LAB_STATE] : undefined
  const row = rows.find((each) => each.name === name && (isDaemon(each) || (name === 'lab' && labState !== undefined)))
  if (row === undefined) return undefined
  try {
    const { options } = await row.load()
    const { values } = readOptions(options, args.slice(args.indexOf(name) + 1), environment.value)
    // Of a lab no option names it.
    const place = { lab: false, state_dir: labState ?? '', ...values }
    const directory = stateDirectory(place, environment.value)
    return { ...values, directory: resolve(workingDirectoryOf(pid), directory) }
  } catch {
    return undefined // of another version
  }
}

function isDaemon({ name, group }: Row): boolean {
  return group === 'daemon' && name !== 'datapath'
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

/** The process that serves the directory. The lock of a lab is held outside of the sandbox in which it serves. */
export function holderOf(path: string, running: readonly RunningDaemon[]): number | undefined {
  return running.find(({ command }) => command === 'lab')?.pid ?? lockHolder(path)
}

export async function hostFacts(state: StateDirectory, daemons: Known<readonly RunningDaemon[]>): Promise<HostFacts> {
  const running = 'value' in daemons ? daemons.value : []
  const holder = holderOf(state.path, running)
  const isKept = running.some(({ command }) => ['up', 'lab', 'dhcp-agent', 'ovn-metadata-agent'].includes(command))
  const status =
    holder === undefined && !isKept
      ? undefined
      : await askOperator<DatapathStatus | null>(state, '/datapath/status', patience(STATUS_MILLISECONDS))
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
