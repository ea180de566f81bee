import { netnsPath } from '../src/host/netns.ts'

/** Where a command runs. Both programs become the command (exec), so it keeps the pid. */

export function inNetns(name: string, command: readonly string[]): [string, ...string[]] {
  return ['nsenter', `--net=${netnsPath(name)}`, '--', ...command]
}

/** All threads of the command on one processor core. */
export function inCore(core: number, command: readonly string[]): [string, ...string[]] {
  return ['taskset', '--cpu-list', `${core}`, ...command]
}
