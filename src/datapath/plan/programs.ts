import type { ObservedNamespace, ObservedProgram } from '../../host/host.ts'
import type { Namespace, Program } from '../../host/namespace.ts'
import { type Step, step } from './step.ts'

/** What a program does about files that have changed. */
const ON_CHANGE: Readonly<Record<Program['kind'], 'program-reload' | 'program-restart'>> = {
  dnsmasq: 'program-reload',
  radvd: 'program-reload',
  haproxy: 'program-restart',
}

export function programSteps({ name: netns, programs }: Namespace, seen: ObservedNamespace): readonly Step[] {
  return programs.flatMap((program) => {
    const { kind } = program
    const running = seen.programs.find((one) => one.kind === kind)
    if (running === undefined) {
      const beside = kind === 'haproxy' && seen.listening.size > 0 ? { beside: [...seen.listening] } : {}
      return [step({ kind: 'program-start', netns, program, ...beside }, `${kind} does not run`)]
    }
    if (!hasSameArguments(program, running))
      return [step({ kind: 'program-restart', netns, program }, `${kind} runs with other arguments`)]
    const changed = changedFiles(program, running)
    return changed === undefined ? [] : [step({ kind: ON_CHANGE[kind], netns, program }, changed)]
  })
}

export function programLeftovers(
  { name: netns, programs, listeners }: Namespace,
  seen: ObservedNamespace,
): readonly Step[] {
  return seen.programs
    .filter(({ kind }) => !programs.some((program) => program.kind === kind))
    .map(({ kind }) => {
      const relieved = kind === 'haproxy' && listeners.length > 0 ? ({ relieved: true } as const) : {}
      return step({ kind: 'program-stop', netns, program: kind, ...relieved }, `${kind} is not wanted here`)
    })
}

function hasSameArguments(wanted: Program, { arguments: seen }: ObservedProgram): boolean {
  return wanted.arguments.length === seen.length && wanted.arguments.every((argument, i) => argument === seen[i])
}

function changedFiles({ kind, files }: Program, { files: read }: ObservedProgram): string | undefined {
  if (read === undefined) return `${kind} was started by an earlier run`
  const changed = Object.entries<string>({ ...files }).flatMap(([name, text]) => (read[name] === text ? [] : [name]))
  return changed.length === 0 ? undefined : `${changed.join(', ')} changed`
}
