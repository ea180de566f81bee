import { fileOptions } from '../config/config-files.ts'
import { agentSocketOptions, statePathOptions } from '../config/options/agent.ts'
import { logOptions, observeOptions } from '../config/options/daemon.ts'
import { datapathOptions } from '../config/options/datapath.ts'
import { stateDirectory, stateOptions } from '../config/options/state.ts'
import { openAnswering } from '../daemons/answering.ts'
import { deferredStore } from '../daemons/deferred-store.ts'
import { openDhcpAgent } from '../daemons/dhcp-agent.ts'
import { lockState } from '../daemons/lock-state.ts'
import { changeLevelOnSignal } from '../daemons/log-level.ts'
import { openNotices } from '../daemons/notices.ts'
import { configureOnHangup } from '../daemons/on-hangup.ts'
import { requireNamespaces } from '../daemons/privileges.ts'
import { openStateDirectory } from '../daemons/state-directory.ts'
import { unlessSignalled, untilSignal } from '../daemons/until-signal.ts'
import { openSqliteStore } from '../inventory/sql/sqlite.ts'
import { openLog } from '../observe/log.ts'
import { command } from './command.ts'

export const dhcpAgent = command({
  usage: '',
  description:
    'Keeps a namespace with dnsmasq and the metadata address for every network of the inventory, and one for every router, as neutron-dhcp-agent and neutron-l3-agent do, and answers 169.254.169.254 there by asking the metadata agent. SIGHUP reads the options again. SIGTERM leaves namespaces and dnsmasq to the next run, so that guests keep their leases; Ctrl-C takes everything away.',
  options: {
    ...fileOptions,
    ...statePathOptions,
    ...agentSocketOptions,
    ...datapathOptions,
    ...stateOptions,
    ...observeOptions,
    ...logOptions,
  },
  examples: [['sudo firstboot dhcp-agent', 'with firstboot metadata-agent on the same host']],
  run: async ({ values, env, terminal, reread }) => {
    requireNamespaces()
    const state = await openStateDirectory(stateDirectory(values, env))
    const release = lockState(state, 'firstboot dhcp-agent')
    const notices = openNotices(env)
    const socket = values.metadata_proxy_socket || state.agentSocket
    const ended = untilSignal()
    const opening = openSqliteStore(state.database, Number.POSITIVE_INFINITY)
    const store = deferredStore(opening)
    const log = openLog(values.log_level, 'dhcp-agent')
    changeLevelOnSignal(log, () => values.log_level)
    const answering = await openAnswering(
      state,
      {
        args: [`--metadata-proxy-socket=${socket}`, `--state-dir=${state.path}`, `--log-level=${values.log_level}`],
        env: {},
      },
      log,
    )
    const agent = await openDhcpAgent(state, answering.sockets, socket, store, values, log)
    const starting = Promise.all([agent.started, opening])
    configureOnHangup(() => agent.configure(reread().values), notices, terminal.say)
    // Guests that ask are held from now on. What is waited for may be long in coming, and the boot is not to wait for it.
    notices.ready()
    const started = await unlessSignalled(starting, ended)
    if (started !== undefined) terminal.say('firstboot dhcp-agent serves the networks of the inventory')
    const signal = await ended
    notices.stopping()
    if (signal === 'SIGINT') {
      await agent.teardown()
      await answering.end()
    } else {
      await agent.close()
      answering.leave()
    }
    release()
    return 0
  },
})
