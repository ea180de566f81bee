import { cpus, loadavg, release, totalmem } from 'node:os'
import { captureProgram } from '../src/host/programs.ts'

/** Where and when figures were taken: by themselves they mean nothing. */
export interface Machine {
  readonly date: string
  /** The commit, marked when files differed from it. */
  readonly firstboot: string
  readonly cpu: string
  readonly memory: string
  readonly kernel: string
  readonly node: string
  readonly haproxy: string
  readonly wrk: string
  /** Of the last 1, 5 and 15 minutes before the start: what others did meanwhile. */
  readonly loadAverage: string
}

export async function describeMachine(): Promise<Machine> {
  const processors = cpus()
  return {
    date: `${new Date().toISOString().slice(0, 16)}Z`,
    firstboot: await firstWords('git', ['describe', '--always', '--dirty', '--tags'], /\S+/),
    cpu: `${processors.length} x ${processors[0]?.model.trim() ?? 'unknown'}`,
    memory: `${(totalmem() / 2 ** 30).toFixed(1)} GiB`,
    kernel: release(),
    node: process.version,
    haproxy: await firstWords('haproxy', ['-v'], /\d\S+/),
    wrk: await firstWords('wrk', ['-v'], /\d\S+/),
    loadAverage: loadavg()
      .map((load) => load.toFixed(2))
      .join(' '),
  }
}

/** What a program says of itself; wrk does so with an exit code of failure, git not at all outside a clone. */
async function firstWords(program: string, args: readonly string[], version: RegExp): Promise<string> {
  const { stdout } = await captureProgram(program, args)
  return version.exec(stdout)?.[0] ?? 'unknown'
}
