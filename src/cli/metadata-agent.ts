import { fileOptions } from '../config/config-files.ts'
import { agentOptions } from '../config/options/agent.ts'
import { logOptions, observeOptions } from '../config/options/daemon.ts'
import { dhcpOptions } from '../config/options/datapath.ts'
import { directoryOptions } from '../config/options/port-directory.ts'
import { rateLimitOptions } from '../config/options/rate-limit.ts'
import { secretOptions } from '../config/options/shared-secret.ts'
import { stateDirectory, stateOptions } from '../config/options/state.ts'
import { openAgentDirectory } from '../daemons/agent-directory.ts'
import { logChanges } from '../daemons/log-changes.ts'
import { changeLevelOnSignal } from '../daemons/log-level.ts'
import { openAgentSocket, openMetadataAgent } from '../daemons/metadata-agent.ts'
import { openOperatorPages } from '../daemons/operator-pages.ts'
import { runService } from '../daemons/run-service.ts'
import { remarkOnSecret } from '../daemons/secret-remarks.ts'
import { openStateDirectory, sharedSecret } from '../daemons/state-directory.ts'
import { openLog } from '../observe/log.ts'
import { command } from './command.ts'

const { dhcp_lease_duration } = dhcpOptions

export const metadataAgent = command({
  usage: '',
  description:
    'Listens on a unix socket for metadata proxies, finds the instance behind each request by network or router and source address, signs, and asks the metadata API, as neutron-metadata-agent does.',
  options: {
    ...fileOptions,
    ...agentOptions,
    ...secretOptions,
    ...rateLimitOptions,
    ...directoryOptions,
    dhcp_lease_duration,
    ...stateOptions,
    ...observeOptions,
    ...logOptions,
  },
  examples: [
    ['firstboot metadata-agent', 'between firstboot dhcp-agent and firstboot metadata-api on this host'],
    ['firstboot metadata-agent --nova-metadata-host 192.0.2.10', 'with the metadata API elsewhere'],
    [
      'firstboot metadata-agent --config-file /etc/neutron/metadata_agent.ini',
      'in the place of neutron-metadata-agent; [neutron] in the file says how to ask Neutron for ports',
    ],
  ],
  run: async ({ values, env, terminal, reread }) => {
    const state = await openStateDirectory(stateDirectory(values, env))
    const settings = async (now: typeof values) => ({
      values: now,
      secret: await sharedSecret(state, now.metadata_proxy_shared_secret),
    })
    const first = await settings(values)
    const log = openLog(values.log_level, 'metadata-agent')
    let { log_level } = values
    changeLevelOnSignal(log, () => log_level)
    remarkOnSecret(values, state, log)
    const socket = values.metadata_proxy_socket || state.agentSocket
    return runService({
      workers: values.metadata_workers,
      env,
      log,
      check: () => {
        const { changed, warnings } = reread()
        logChanges(log, changed, warnings)
      },
      listen: () => openAgentSocket(socket, values),
      onListening: () => terminal.say(`firstboot metadata-agent listens on ${socket}`),
      serve: async (sockets) => {
        const directory = openAgentDirectory(values, state.database, log)
        const agent = openMetadataAgent(state, sockets, directory.directory, first, log)
        const pages = await openOperatorPages({
          state,
          daemon: 'metadata-agent',
          metrics: agent.flight.metrics,
          ready: [],
          listen: values.metrics_listen,
          isShared: values.metadata_workers > 1,
          log,
        })
        return {
          opened: directory.opened,
          reload: async () => {
            const { values: now, changed, warnings } = reread()
            directory.reload(now)
            agent.reload(await settings(now))
            logChanges(log, changed, warnings)
            log_level = now.log_level
            log.level = log_level
          },
          close: async (grace) => {
            await pages.close()
            await agent.close(grace)
            await directory.close()
          },
        }
      },
    })
  },
})
