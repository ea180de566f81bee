import { argumentsFor } from '../config/arguments.ts'
import { fileOptions } from '../config/config-files.ts'
import { text } from '../config/option.ts'
import { logOptions, observeOptions } from '../config/options/daemon.ts'
import { carrierOptions, datapathOptions } from '../config/options/datapath.ts'
import { documentOptions } from '../config/options/documents.ts'
import { configDriveOptions, machineOptions } from '../config/options/machines.ts'
import { northboundOptions, ovnOptions } from '../config/options/ovn.ts'
import { stateDirectory, stateOptions } from '../config/options/state.ts'
import { openAllInOne } from '../daemons/all-in-one.ts'
import { openAnswering } from '../daemons/answering.ts'
import { deferredStore } from '../daemons/deferred-store.ts'
import { lockState } from '../daemons/lock-state.ts'
import { openNotices } from '../daemons/notices.ts'
import { configureOnHangup } from '../daemons/on-hangup.ts'
import { openOvnAllInOne } from '../daemons/ovn/all-in-one.ts'
import { requireNamespaces } from '../daemons/privileges.ts'
import { openStateDirectory } from '../daemons/state-directory.ts'
import { unlessSignalled, untilSignal } from '../daemons/until-signal.ts'
import { openSqliteStore } from '../inventory/sql/sqlite.ts'
import { openLog } from '../observe/log.ts'
import { applyFile } from './apply-file.ts'
import { command } from './command.ts'
import { checkRemotes } from './ovn-remotes.ts'

const { flat_injected } = configDriveOptions
const { dhcp_lease_duration } = datapathOptions

/** What the process that answers guests has to know. */
const ANSWERING = { ...documentOptions, ...logOptions, flat_injected, dhcp_lease_duration }

export const up = command({
  usage: '',
  description:
    'Serves every network of the inventory from this host: a bridge and a DHCP namespace for each network, dnsmasq with the metadata route, a namespace for each router, 169.254.169.254 answered inside them. Servers of the kinds `hypervisor: namespace`, `qemu` and `libvirt` are started too; the latter two keep disk and config drive when they are stopped, until the server is removed from the inventory. Follows every change of the inventory; SIGHUP reads the configuration files again. Ctrl-C takes it all away again; records and leases stay.',
  options: {
    file: text('FILE', '', 'Apply this inventory file first.', { short: 'f' }),
    ...fileOptions,
    ...stateOptions,
    ...documentOptions,
    ...datapathOptions,
    ...configDriveOptions,
    ...machineOptions,
    ...observeOptions,
    ...carrierOptions,
    ...ovnOptions,
    ...northboundOptions,
    log_level: { ...logOptions.log_level, default: 'warn' as const },
  },
  examples: [
    ['sudo firstboot up -f my.yaml', 'serve what the file describes on this host'],
    ['sudo firstboot up --config-file /etc/neutron/dhcp_agent.ini', 'with options that SIGHUP reads again'],
    ['firstboot sandbox -- firstboot up -f my.yaml -s /tmp/state', 'the same where it can touch nothing'],
    [
      'sudo firstboot up -f my.yaml --datapath ovn --ovn-nb-connection unix:/run/ovn/ovnnb_db.sock',
      'on a host of OVN, without Neutron',
    ],
  ],
  run: async ({ values, env, terminal, reread }) => {
    const { ovsdb_connection, ovn_sb_connection, ovn_nb_connection } = values
    checkRemotes({ ovsdb_connection, ovn_sb_connection, ovn_nb_connection })
    requireNamespaces()
    const state = await openStateDirectory(stateDirectory(values, env))
    const release = lockState(state, 'firstboot up')
    const notices = openNotices(env)
    const log = openLog(values.log_level, 'up')
    const ended = untilSignal()
    const opening = openSqliteStore(state.database, Number.POSITIVE_INFINITY).then(async (store) => {
      if (values.file !== '') await applyFile(store, values.file)
      return store
    })
    const store = deferredStore(opening)
    const answeringWith = (now: typeof values) => {
      const command = argumentsFor(ANSWERING, now)
      return { ...command, args: ['--answer-from=inventory', `--state-dir=${state.path}`, ...command.args] }
    }
    const answering = await openAnswering(state, answeringWith(values), log)
    const { sockets } = answering
    const opened =
      values.datapath === 'ovn'
        ? openOvnAllInOne(store, { state, values, sockets, log })
        : openAllInOne(state, store, {
            values,
            machines: values,
            log,
            sockets,
            metricsListen: values.metrics_listen,
          })
    const starting = Promise.all([opened, opening])
    const configure = async () => {
      const { values: now } = reread()
      const [{ datapath }] = await starting
      const changed = await datapath.configure(now)
      await answering.replace(answeringWith(now))
      return changed
    }
    configureOnHangup(configure, notices, terminal.say)
    // Guests that ask are held from now on. What is waited for may be long in coming, and the boot is not to wait for it.
    notices.ready()
    const started = await unlessSignalled(starting, ended).catch(async (error: unknown) => {
      await answering.end()
      throw error
    })
    if (started === undefined) {
      await answering.end()
      return 0
    }
    const [all] = started
    const { network, server } = all.inventory.records
    terminal.say(
      `firstboot is up: ${count(network.size, 'network')}, ${count(server.size, 'server')}, state in ${state.path}. Ctrl-C ends it.`,
    )
    const signal = await ended
    notices.stopping()
    terminal.say(`${signal}: taking namespaces and bridges away; records and leases stay in ${state.path}`)
    await all.teardown()
    await answering.end()
    release()
    return 0
  },
})

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
