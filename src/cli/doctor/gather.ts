import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { TRIALS } from '../../doctor/checks/kernel.ts'
import { PROGRAMS } from '../../doctor/checks/programs.ts'
import type { Facts } from '../../doctor/facts.ts'
import { kernelFacts } from '../../host/examine/kernel.ts'
import { neighbours } from '../../host/examine/neighbours.ts'
import { networkFacts } from '../../host/examine/network.ts'
import { ownProcess } from '../../host/examine/own-process.ts'
import { findPrograms } from '../../host/examine/programs.ts'
import { lockHolder, stateFacts } from '../../host/examine/state.ts'
import { holderOf, runningDaemons } from '../explain/daemons.ts'
import { configurationFacts } from './configuration.ts'
import { type OvnQuestion, ovnFacts } from './ovn.ts'
import { secretSources } from './secrets.ts'

/** Looks at this host. Changes nothing of it; what is tried is tried in namespaces that go at once. */
export async function gatherFacts(
  directory: string,
  env: NodeJS.ProcessEnv,
  values: OvnQuestion['values'],
): Promise<Facts> {
  const given = resolve(directory)
  const statePath = existsSync(given) ? realpathSync(given) : given
  // In order: the trials make processes and namespaces that are none of the others' facts.
  const programs = await findPrograms(PROGRAMS)
  const kernel = await kernelFacts(TRIALS)
  const network = networkFacts()
  const found = neighbours()
  const socketKeeper = join(statePath, 'run', 'sockets')
  const state = existsSync(statePath) ? { path: statePath, socketKeeper } : undefined
  const daemons = state === undefined ? { value: [] } : await runningDaemons(state)
  const running = 'value' in daemons ? daemons.value : []
  const ovn = await ovnFacts({ running, values, network })
  const holder = (path: string) => (path === statePath ? holderOf(path, running) : lockHolder(path))
  const paths = [
    ...('value' in network.marked ? network.marked.value : []),
    ...(ovn !== undefined && 'value' in ovn.chassis ? ovn.chassis.value.ports : []),
  ].map((each) => each.statePath)
  return {
    programs,
    kernel,
    own: ownProcess(),
    network,
    neighbours: found,
    state: { ...stateFacts(statePath, ['metadata_proxy_shared_secret']), holder: holder(statePath) },
    owners: new Map(
      paths.flatMap((path) =>
        path === undefined ? [] : [[path, { exists: existsSync(path), holder: holder(path) }] as const],
      ),
    ),
    now: Date.now(),
    node: { running: process.versions.node, oldest: oldestNode() },
    configuration: await configurationFacts(env),
    secrets: await secretSources(found),
    ovn,
  }
}

/** `engines` of our package. */
function oldestNode(): string {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')
  const { engines } = JSON.parse(text) as { engines: { node: string } }
  return engines.node.replace(/^[^\d]*/, '')
}
