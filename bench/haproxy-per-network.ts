import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { endProcess, processId } from '../src/host/process.ts'
import { runProgram } from '../src/host/programs.ts'
import { proxyConfig } from './haproxy.ts'
import type { BenchNetwork } from './many-networks.ts'
import { inNetns } from './placing.ts'
import { pssKibibytes } from './process-usage.ts'

/** The classic way: a daemon in each namespace. */
export class HaproxyPerNetwork {
  readonly #directory: string
  readonly #pids: number[] = []
  #milliseconds = 0

  /** @param directory  for configurations and pid files */
  constructor(directory: string) {
    this.#directory = directory
  }

  /** Starts those that do not run yet, each when the one before has its socket. @returns what all of them took and hold */
  async startUpTo(networks: readonly BenchNetwork[]): Promise<{ milliseconds: number; pssKibibytes: number }> {
    const missing = networks.slice(this.#pids.length).map((network) => this.#configure(network))
    const started = performance.now()
    for (const { netns, config } of missing) {
      const [program, ...args] = inNetns(netns, ['haproxy', '-f', config])
      await runProgram(program, args)
    }
    this.#milliseconds += performance.now() - started
    this.#pids.push(...missing.map(({ pidFile }) => Number(readFileSync(pidFile, 'utf8'))))
    return {
      milliseconds: this.#milliseconds,
      pssKibibytes: this.#pids.reduce((sum, pid) => sum + pssKibibytes(pid), 0),
    }
  }

  async stop(): Promise<void> {
    await Promise.all(
      this.#pids.map(async (pid) => {
        const identity = processId(pid)
        if (identity) await endProcess(identity)
      }),
    )
  }

  #configure({ id, netns, device }: BenchNetwork): { netns: string; config: string; pidFile: string } {
    const config = join(this.#directory, `${id}.conf`)
    const pidFile = join(this.#directory, `${id}.pid`)
    writeFileSync(
      config,
      proxyConfig({ networkId: id, device, pidFile, socket: join(this.#directory, 'metadata_proxy') }),
    )
    return { netns, config, pidFile }
  }
}
