import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { SEARCH_PATH } from '../../bootstrap/programs.js'
import type { TestMachine } from './test-machine.ts'

/**
 * This machine's root once more, to install things in: what is written there lies in memory and goes with the test
 * machine. /run and /tmp are empty.
 */
export interface PackagedRoot {
  /** The command that runs another one in there. */
  command(...command: readonly string[]): [string, ...string[]]
  /** @returns what the program wrote @throws with its exit code and what it said on standard error */
  run(...command: readonly string[]): string
  /** @returns what it wrote to either of its outputs, also when it failed, and whether it did not */
  try(...command: readonly string[]): { readonly isWell: boolean; readonly said: string }
  /** Brings a file into its /tmp. @returns the path within */
  bring(file: string): string
}

export function openPackagedRoot(machine: TestMachine): PackagedRoot {
  const base = machine.run('mktemp', '--directory').trim()
  const [upper, work, root] = ['upper', 'work', 'root'].map((name) => join(base, name)) as [string, string, string]
  machine.run('mount', '-t', 'tmpfs', 'tmpfs', base)
  machine.run('mkdir', upper, work, root)
  machine.run('mount', '-t', 'overlay', 'overlay', '-o', `lowerdir=/,upperdir=${upper},workdir=${work}`, root)
  for (const kernel of ['proc', 'sys', 'dev']) machine.run('mount', '--rbind', `/${kernel}`, join(root, kernel))
  for (const empty of ['run', 'tmp']) machine.run('mount', '-t', 'tmpfs', 'tmpfs', join(root, empty))
  const command = (...inner: readonly string[]): [string, ...string[]] => [
    'env',
    `PATH=${SEARCH_PATH}`,
    'chroot',
    root,
    ...inner,
  ]
  return {
    command,
    run: (...inner) => machine.run(...command(...inner)),
    try: (...inner) => {
      // Both outputs are one file, so that they stay in order; the exit code is its last word.
      const script = '"$@" 2>&1; echo " $?"'
      const written = machine.run(...command('sh', '-c', script, 'sh', ...inner))
      const [, said = '', code] = /^(.*) (\d+)\n$/s.exec(written) ?? []
      return { isWell: code === '0', said }
    },
    bring: (file) => {
      machine.run('cp', file, join(root, 'tmp'))
      return join('/tmp', basename(file))
    },
  }
}

/** What a unit file says, by key: each of several lines of the same key, in order. */
export function readUnit(path: string): ReadonlyMap<string, readonly string[]> {
  const said = new Map<string, readonly string[]>()
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    const [, key, value] = /^(\w+)=(.*)$/.exec(line) ?? []
    if (key !== undefined && value !== undefined) said.set(key, [...(said.get(key) ?? []), value])
  }
  return said
}

/** The command of a service as systemd would run it, as far as user, groups, capabilities and environment go. */
export function serviceCommand(unit: ReadonlyMap<string, readonly string[]>): string[] {
  const words = (key: string) =>
    (unit.get(key) ?? []).flatMap((value) => value.split(' ')).filter((word) => word !== '')
  const user = words('User')
  const groups = words('SupplementaryGroups')
  const bounds = words('CapabilityBoundingSet').map((name) => `+${name.replace(/^CAP_/, '').toLowerCase()}`)
  const identity = user.length > 0 ? [`--reuid=${user}`, `--regid=${user}`, '--init-groups'] : [`--groups=${groups}`]
  return [
    ...['env', ...words('Environment')],
    ...['setpriv', ...identity, `--bounding-set=${['-all', ...bounds]}`, '--inh-caps=-all', '--no-new-privs', '--'],
    ...words('ExecStart'),
  ]
}
