import { fileOptions } from '../config/config-files.ts'
import { logOptions, observeOptions } from '../config/options/daemon.ts'
import { proxyOptions } from '../config/options/datapath.ts'
import { documentOptions } from '../config/options/documents.ts'
import { ovnAgentOptions, ovnAnswerOptions, ovnOptions } from '../config/options/ovn.ts'
import { secretOptions } from '../config/options/shared-secret.ts'
import { stateDirectory, stateOptions } from '../config/options/state.ts'
import { type Answering, openAnswering } from '../daemons/answering.ts'
import { lockState } from '../daemons/lock-state.ts'
import { describeChange, logChanges } from '../daemons/log-changes.ts'
import { changeLevelOnSignal } from '../daemons/log-level.ts'
import { openNotices } from '../daemons/notices.ts'
import { configureOnHangup } from '../daemons/on-hangup.ts'
import { openOvnMetadataAgent } from '../daemons/ovn-metadata-agent.ts'
import { requireNamespaces } from '../daemons/privileges.ts'
import { remarkOnSecret } from '../daemons/secret-remarks.ts'
import { openStateDirectory, sharedSecret } from '../daemons/state-directory.ts'
import { unlessSignalled, untilSignal } from '../daemons/until-signal.ts'
import { openLog } from '../observe/log.ts'
import { command } from './command.ts'
import { checkRemotes } from './ovn-remotes.ts'

/** @throws UsageError */
function check({
  ovsdb_connection,
  ovn_sb_connection,
}: Readonly<Record<'ovsdb_connection' | 'ovn_sb_connection', string>>) {
  checkRemotes({ ovsdb_connection, ovn_sb_connection })
}

/** As long as a request may take. */
const FINISH_MILLISECONDS = 30_000

export const ovnMetadataAgent = command({
  usage: '',
  description:
    'On a chassis of OVN: keeps a namespace `ovnmeta-<network>` with the metadata address for every network that a guest here is on, or soon will be, and answers there, as neutron-ovn-metadata-agent does in a cloud of ML2/OVN. Who asks is known from the Southbound database, of which only what concerns this chassis is followed. Waits for Open vSwitch and OVN when they are not there yet. SIGHUP reads the options again. SIGTERM leaves namespaces and sockets to the next run, so that no guest is refused; Ctrl-C takes everything away, also while it waits; of ports in an Open vSwitch whose database does not answer it says that they stay.',
  options: {
    ...fileOptions,
    ...ovnOptions,
    ...ovnAgentOptions,
    ...secretOptions,
    ...proxyOptions,
    ...ovnAnswerOptions,
    ...documentOptions,
    ...stateOptions,
    ...observeOptions,
    ...logOptions,
  },
  examples: [
    [
      'sudo firstboot ovn-metadata-agent --config-file /etc/neutron/neutron_ovn_metadata_agent.ini',
      'in the place of neutron-ovn-metadata-agent',
    ],
    [
      'sudo firstboot ovn-metadata-agent --nova-metadata-host 192.0.2.10',
      'on a compute node, with FIRSTBOOT_METADATA_PROXY_SHARED_SECRET set',
    ],
    ['sudo firstboot datapath status', 'what it keeps on this chassis, and why'],
  ],
  run: async ({ values, env, terminal, reread }) => {
    check(values)
    requireNamespaces()
    const state = await openStateDirectory(stateDirectory(values, env))
    const release = lockState(state, 'firstboot ovn-metadata-agent')
    const notices = openNotices(env)
    const agentSocket = values.metadata_proxy_socket || state.agentSocket
    const ended = untilSignal()
    const log = openLog(values.log_level, 'ovn-metadata-agent')
    let { log_level } = values
    changeLevelOnSignal(log, () => log_level)
    remarkOnSecret(values, state, log)
    const settings = async (now: typeof values) => ({
      values: now,
      secret: await sharedSecret(state, now.metadata_proxy_shared_secret),
    })
    const first = await settings(values)
    const answeringWith = (now: typeof values) => ({
      args: [`--metadata-proxy-socket=${agentSocket}`, `--state-dir=${state.path}`, `--log-level=${now.log_level}`],
      env: {},
    })
    const sockets = Promise.withResolvers<Answering['sockets']>()
    // First, since it is the one that may refuse: where another agent listens, nothing is to be left behind.
    const agent = await openOvnMetadataAgent({ state, ...first, sockets: sockets.promise, agentSocket, log })
    const answering = openAnswering(state, answeringWith(values), log)
    answering.then((opened) => sockets.resolve(opened.sockets), sockets.reject)
    sockets.promise.catch(() => undefined) // who waits for `answering` hears of it
    const endAnswering = async (error: unknown) => {
      await (await answering).end()
      throw error
    }
    configureOnHangup(
      async () => {
        const { values: now, changed, warnings } = reread()
        check(now)
        await agent.reload(await settings(now))
        logChanges(log, changed, warnings)
        if (now.log_level !== log_level) await (await answering).replace(answeringWith(now))
        log_level = now.log_level
        log.level = log_level
        return changed.map(describeChange)
      },
      notices,
      terminal.say,
    )
    // Requests are taken from now on; they are held until the databases are known, which may be long in coming.
    await answering
    notices.ready()
    const chassisName = await unlessSignalled(agent.started, ended).catch(endAnswering)
    if (chassisName !== undefined)
      terminal.say(`firstboot ovn-metadata-agent serves the networks of chassis ${chassisName}`)
    const signal = await ended
    notices.stopping()
    if (signal === 'SIGINT') {
      for (const line of await agent.teardown()) terminal.say(line)
      await (await answering).end()
    } else {
      await agent.close(FINISH_MILLISECONDS)
      const { leave } = await answering
      leave()
    }
    release()
    return 0
  },
})
