import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { captureProgram, lastLines } from '../../src/host/programs.ts'
import type { Ec2IdsByCase } from '../nova-inputs.ts'

/** A folder of scripts that stands up the real metadata API; its README says how to use them. */
const SCRIPTS = ['up.sh', 'down.sh', 'seed.py', 'fakeneutron.py'] as const

const PATIENCE_SECONDS = 300

export interface RealNova {
  readonly port: number
  /** Of its server; the workers are children of it. */
  readonly pid: number
  /** What it numbered the instances. */
  readonly ec2Ids: Ec2IdsByCase
  readonly release: string
  /** Starts it anew on the same database, without its cache of 15 s. */
  restartWithoutCache(): Promise<void>
  stop(): Promise<void>
}

/**
 * @param scripts  the folder `nova` of the peers
 * @param directory  for a copy of the scripts (they read inputs.json beside them), the database and the logs
 * @param settings  NAME=VALUE of the scripts' own
 */
export async function startRealNova(
  scripts: string,
  directory: string,
  inputs: string,
  settings: readonly string[] = [],
): Promise<RealNova> {
  for (const script of SCRIPTS) {
    if (!existsSync(join(scripts, script))) throw new Error(`${scripts} has no ${script}`)
    cpSync(join(scripts, script), join(directory, script))
  }
  writeFileSync(join(directory, 'inputs.json'), inputs)
  const state = join(directory, 'state')
  const stop = () => run(directory, state, 'down.sh')
  const start = async (cache: string) => {
    try {
      await run(directory, state, 'up.sh', `NOVA_PEER_CACHE=${cache}`, ...settings)
    } catch (error) {
      await stop()
      throw error
    }
  }
  await start('dict')
  return {
    port: PORT,
    pid: Number(readFileSync(join(state, 'nova.pid'), 'utf8')),
    ec2Ids: JSON.parse(readFileSync(join(state, 'ec2ids.json'), 'utf8')) as Ec2IdsByCase,
    release: await novaRelease(),
    restartWithoutCache: async () => {
      await stop()
      await start('off')
    },
    stop,
  }
}

const PORT = 18_775
const NEUTRON_PORT = 18_776

async function run(directory: string, state: string, script: string, ...settings: readonly string[]): Promise<void> {
  const env = [
    `NOVA_PEER_STATE=${state}`,
    `NOVA_PEER_PORT=${PORT}`,
    `NOVA_PEER_NEUTRON_PORT=${NEUTRON_PORT}`,
    ...settings,
  ]
  const bounded = ['--kill-after=10', `${PATIENCE_SECONDS}`, 'env', ...env, 'bash', join(directory, script)]
  const { exitCode, stdout, stderr } = await captureProgram('timeout', bounded)
  if (exitCode !== 0)
    throw new Error(`${script} of the real Nova failed (${exitCode}): ${lastLines(`${stdout}\n${stderr}`, 10)}`)
}

async function novaRelease(): Promise<string> {
  const say = 'import nova.version as v; print(v.version_string())'
  const { stdout } = await captureProgram('/usr/bin/python3', ['-c', say])
  return stdout.trim()
}
