import { fileOptions } from '../config/config-files.ts'
import {
  agentSocketOptions,
  dhcpOptions,
  logOptions,
  stateDirectory,
  stateOptions,
  statePathOptions,
} from '../config/options.ts'
import { deferredStore } from '../daemons/deferred-store.ts'
import { openDhcpAgent } from '../daemons/dhcp-agent.ts'
import { lockState } from '../daemons/lock-state.ts'
import { changeLevelOnSignal } from '../daemons/log-level.ts'
import { requireNamespaces } from '../daemons/privileges.ts'
import { openStateDirectory } from '../daemons/state-directory.ts'
import { unlessSignalled, untilSignal } from '../daemons/until-signal.ts'
import { openSqliteStore } from '../inventory/sql/sqlite.ts'
import { openLog } from '../observe/log.ts'
import { command } from './command.ts'

export const dhcpAgent = command({
  usage: '',
  description:
    'Keeps a namespace with dnsmasq and the metadata address for every network of the inventory, as neutron-dhcp-agent does, and answers 169.254.169.254 there by asking the metadata agent. SIGTERM leaves namespaces and dnsmasq to the next run, so that guests keep their leases; Ctrl-C takes everything away.',
  options: {
    ...fileOptions,
    ...statePathOptions,
    ...agentSocketOptions,
    ...dhcpOptions,
    ...stateOptions,
    ...logOptions,
  },
  examples: [['sudo firstboot dhcp-agent', 'with firstboot metadata-agent on the same host']],
  run: async ({ values, env, terminal }) => {
    requireNamespaces()
    const state = await openStateDirectory(stateDirectory(values, env))
    const release = lockState(state, 'firstboot dhcp-agent')
    const socket = values.metadata_proxy_socket || state.agentSocket
    const ended = untilSignal()
    const opening = openSqliteStore(state.database, Number.POSITIVE_INFINITY)
    const log = openLog(values.log_level, 'dhcp-agent')
    changeLevelOnSignal(log, () => values.log_level)
    const starting = Promise.all([openDhcpAgent(state, socket, deferredStore(opening), values, log), opening])
    const started = await unlessSignalled(starting, ended)
    if (started !== undefined) terminal.say('firstboot dhcp-agent serves the networks of the inventory')
    const signal = await ended
    await (signal === 'SIGINT' ? started?.[0].teardown() : started?.[0].close())
    release()
    return 0
  },
})
