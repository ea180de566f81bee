import { agentOptions } from '../config/options/agent.ts'
import { logOptions } from '../config/options/daemon.ts'
import { documentOptions } from '../config/options/documents.ts'
import { ovnAnswerOptions, ovnOptions } from '../config/options/ovn.ts'
import { secretOptions } from '../config/options/shared-secret.ts'
import { stateDirectory, stateOptions } from '../config/options/state.ts'
import { openAnswering } from '../daemons/answering.ts'
import { lockState } from '../daemons/lock-state.ts'
import { openOvnUpstream } from '../daemons/ovn/upstream.ts'
import { openOvnMetadataAgent } from '../daemons/ovn-metadata-agent.ts'
import { requireNamespaces } from '../daemons/privileges.ts'
import { openStateDirectory, sharedSecret } from '../daemons/state-directory.ts'
import { unlessSignalled, untilSignal } from '../daemons/until-signal.ts'
import { openLog } from '../observe/log.ts'
import { command } from './command.ts'
import { checkRemotes } from './ovn-remotes.ts'

export const ovnMetadataAgent = command({
  usage: '',
  description:
    'On a chassis of OVN: keeps a namespace `ovnmeta-<network>` with the metadata address for every network that a guest here is on, or soon will be, and answers there, as neutron-ovn-metadata-agent does in a cloud of ML2/OVN. Who asks is known from the Southbound database, of which only what concerns this chassis is followed. Waits for Open vSwitch and OVN when they are not there yet. SIGTERM leaves namespaces and sockets to the next run, so that no guest is refused; Ctrl-C takes everything away.',
  options: {
    ...ovnOptions,
    ...agentOptions,
    ...secretOptions,
    ...ovnAnswerOptions,
    ...documentOptions,
    ...stateOptions,
    ...logOptions,
  },
  examples: [
    [
      'sudo firstboot ovn-metadata-agent --nova-metadata-host 192.0.2.10',
      'on a compute node, with FIRSTBOOT_METADATA_PROXY_SHARED_SECRET set',
    ],
    ['sudo firstboot datapath status', 'what it keeps on this chassis, and why'],
  ],
  run: async ({ values, env, terminal }) => {
    const { ovsdb_connection, ovn_sb_connection } = values
    checkRemotes({ ovsdb_connection, ovn_sb_connection })
    requireNamespaces()
    const state = await openStateDirectory(stateDirectory(values, env))
    const release = lockState(state, 'firstboot ovn-metadata-agent')
    const agentSocket = values.metadata_proxy_socket || state.agentSocket
    const ended = untilSignal()
    const log = openLog(values.log_level, 'ovn-metadata-agent')
    const secret = await sharedSecret(state, values.metadata_proxy_shared_secret)
    const answering = openAnswering(
      state,
      {
        args: [
          `--metadata-proxy-socket=${agentSocket}`,
          `--state-dir=${state.path}`,
          `--log-level=${values.log_level}`,
        ],
        env: {},
      },
      log,
    )
    const { upstream, close } = openOvnUpstream(state, secret, values, log)
    const sockets = answering.then((opened) => opened.sockets)
    const starting = openOvnMetadataAgent({ state, values, sockets, agentSocket, upstream, log })
    const started = await unlessSignalled(starting, ended)
    if (started !== undefined)
      terminal.say(`firstboot ovn-metadata-agent serves the networks of chassis ${started.chassisName}`)
    const signal = await ended
    if (signal === 'SIGINT') {
      await started?.teardown()
      await (await answering).end()
    } else {
      await started?.close()
      const { leave } = await answering
      leave()
    }
    await close()
    release()
    // A connection that is still being tried would keep us.
    if (started === undefined) process.exit(0)
    return 0
  },
})
