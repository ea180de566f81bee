import {
  agentOptions,
  dhcpOptions,
  logOptions,
  secretOptions,
  stateDirectory,
  stateOptions,
} from '../config/options.ts'
import { deferredStore } from '../daemons/deferred-store.ts'
import { openMetadataAgent } from '../daemons/metadata-agent.ts'
import { openStateDirectory, sharedSecret } from '../daemons/state-directory.ts'
import { unlessSignalled, untilSignal } from '../daemons/until-signal.ts'
import { openSqliteStore } from '../inventory/sql/sqlite.ts'
import { openLog } from '../observe/log.ts'
import { command } from './command.ts'

const { dhcp_lease_duration } = dhcpOptions

export const metadataAgent = command({
  usage: '',
  description:
    'Listens on a unix socket for metadata proxies, finds the instance behind each request by network or router and source address, signs, and asks the metadata API, as neutron-metadata-agent does.',
  options: { ...agentOptions, dhcp_lease_duration, ...secretOptions, ...stateOptions, ...logOptions },
  examples: [
    ['firstboot metadata-agent', 'between firstboot dhcp-agent and firstboot metadata-api on this host'],
    ['firstboot metadata-agent --nova-metadata-host 192.0.2.10', 'with the metadata API elsewhere'],
  ],
  run: async ({ values, env, terminal }) => {
    const state = await openStateDirectory(stateDirectory(values, env))
    const secret = await sharedSecret(state, values.metadata_proxy_shared_secret)
    const socket = values.metadata_proxy_socket || state.agentSocket
    const ended = untilSignal()
    const opening = openSqliteStore(state.database, Number.POSITIVE_INFINITY)
    const log = openLog(values.log_level, 'metadata-agent')
    const listening = openMetadataAgent(socket, deferredStore(opening), secret, values, log).then((serving) => {
      terminal.say(`firstboot metadata-agent listens on ${socket}`)
      return serving
    })
    const started = await unlessSignalled(Promise.all([listening, opening]), ended)
    await ended
    await started?.[0].close()
    return 0
  },
})
