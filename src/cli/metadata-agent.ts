import { fileOptions } from '../config/config-files.ts'
import { agentOptions } from '../config/options/agent.ts'
import { logOptions, observeOptions } from '../config/options/daemon.ts'
import { dhcpOptions } from '../config/options/datapath.ts'
import { directoryOptions } from '../config/options/port-directory.ts'
import { rateLimitOptions } from '../config/options/rate-limit.ts'
import { secretOptions } from '../config/options/shared-secret.ts'
import { stateDirectory, stateOptions } from '../config/options/state.ts'
import { openAgentDirectory } from '../daemons/agent-directory.ts'
import { agentSocketIsThere } from '../daemons/agent-socket.ts'
import { openAgentSocket, openMetadataAgent } from '../daemons/metadata-agent.ts'
import { runSharedService } from '../daemons/shared-service.ts'
import type { StateDirectory } from '../daemons/state-directory.ts'
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
  run: ({ values, env, terminal, reread }) => {
    const socketOf = (state: StateDirectory) => values.metadata_proxy_socket || state.agentSocket
    return runSharedService({
      daemon: 'metadata-agent',
      path: stateDirectory(values, env),
      values,
      env,
      reread,
      listen: (state, log) => openAgentSocket(socketOf(state), values, log),
      onListening: (state) => terminal.say(`firstboot metadata-agent listens on ${socketOf(state)}`),
      serve: (state, sockets, settings, log) => {
        const directory = openAgentDirectory(values, state, log)
        const agent = openMetadataAgent(state, sockets, directory.directory, settings, log)
        return {
          flight: agent.flight,
          ready: [agentSocketIsThere(socketOf(state))],
          opened: directory.opened,
          reload: (next) => {
            directory.reload(next.values)
            agent.reload(next)
          },
          serveInstead: agent.serveInstead,
          close: async (grace) => {
            await agent.close(grace)
            await directory.close()
          },
        }
      },
    })
  },
})
