import { createHmac, randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { stateDirectory } from '../../config/options/state.ts'
import { readOptions } from '../../config/read.ts'
import type { SecretSource } from '../../doctor/facts.ts'
import { environmentOf, workingDirectoryOf } from '../../host/examine/environment.ts'
import type { Known } from '../../host/examine/known.ts'
import type { Neighbours } from '../../host/examine/neighbours.ts'
import { rows } from '../commands.ts'

type Side = SecretSource['side']

const DAEMONS: Readonly<Record<string, Side>> = { 'metadata-agent': 'agent', 'metadata-api': 'api' }

/** Where OpenStack's services have theirs. */
const FIELD_FILES: readonly { readonly path: string; readonly side: Side; readonly section: string }[] = [
  { path: '/etc/neutron/metadata_agent.ini', side: 'agent', section: 'DEFAULT' },
  { path: '/etc/neutron/neutron_ovn_metadata_agent.ini', side: 'agent', section: 'DEFAULT' },
  { path: '/etc/nova/nova.conf', side: 'api', section: 'neutron' },
]

/** The secrets of all agents and APIs of this host, as digests. unknown: one of them may not be read. */
export async function secretSources(neighbours: Known<Neighbours>): Promise<Known<readonly SecretSource[]>> {
  if ('unknown' in neighbours) return neighbours
  const key = randomBytes(32)
  const source = (side: Side, where: string, secret: string): SecretSource => ({
    side,
    where,
    digest: createHmac('sha256', key).update(secret).digest('hex'),
  })
  try {
    const daemons = await Promise.all(
      neighbours.value.firstboots.map(async ({ pid, command, arguments: args }) => {
        const side = DAEMONS[command]
        const secret = side && (await daemonSecret(pid, command, args))
        return side && secret ? [source(side, `firstboot ${command} (process ${pid})`, secret)] : []
      }),
    )
    const files = FIELD_FILES.filter(({ path }) => existsSync(path)).flatMap(({ path, side, section }) => {
      const secret = iniValue(readFileSync(path, 'utf8'), section, 'metadata_proxy_shared_secret')
      return secret === undefined ? [] : [source(side, path, secret)]
    })
    return { value: [...daemons.flat(), ...files] }
  } catch (cause) {
    return { unknown: cause instanceof Error ? cause.message : String(cause) }
  }
}

/** What a daemon of ours uses, by its command line and environment, read as it reads them itself. */
async function daemonSecret(pid: number, name: string, args: readonly string[]): Promise<string | undefined> {
  const environment = environmentOf(pid)
  if ('unknown' in environment) throw new Error(environment.unknown)
  const command = await rows.find((row) => row.name === name)?.load()
  if (command === undefined) return undefined
  const { values } = readOptions(command.options, args.slice(args.indexOf(name) + 1), environment.value)
  const { metadata_proxy_shared_secret, state_dir, lab } = values
  if (typeof metadata_proxy_shared_secret === 'string' && metadata_proxy_shared_secret !== '')
    return metadata_proxy_shared_secret
  const directory = stateDirectory({ state_dir: String(state_dir), lab: lab === true }, environment.value)
  const file = resolve(workingDirectoryOf(pid), directory, 'metadata_proxy_shared_secret')
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined
}

/** The last value in a section, as oslo.config reads it. */
export function iniValue(text: string, section: string, name: string): string | undefined {
  let current = 'DEFAULT'
  let found: string | undefined
  for (const line of text.split('\n')) {
    const heading = /^\s*\[([^\]]+)\]/.exec(line)?.[1]
    if (heading !== undefined) current = heading.trim()
    const [, key, value] = /^([\w-]+)\s*[=:]\s*(.*?)\s*$/.exec(line) ?? []
    if (current === section && key === name) found = value
  }
  return found
}
