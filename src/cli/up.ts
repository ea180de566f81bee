import { resolve } from 'node:path'
import { argumentsFor } from '../config/arguments.ts'
import { fileOptions } from '../config/config-files.ts'
import { type Options, text, type Values } from '../config/option.ts'
import { logOptions, observeOptions } from '../config/options/daemon.ts'
import { carrierOptions, datapathOptions, proxyOptions } from '../config/options/datapath.ts'
import { documentOptions } from '../config/options/documents.ts'
import { configDriveOptions, machineOptions } from '../config/options/machines.ts'
import { northboundOptions, ovnOptions } from '../config/options/ovn.ts'
import { rateLimitOptions } from '../config/options/rate-limit.ts'
import { stateDirectory, stateOptions } from '../config/options/state.ts'
import { type AllInOne, openAllInOne } from '../daemons/all-in-one.ts'
import { openAnswering } from '../daemons/answering.ts'
import type { DatapathValues } from '../daemons/datapath-config.ts'
import { deferredStore } from '../daemons/deferred-store.ts'
import { lockState } from '../daemons/lock-state.ts'
import { openNotices } from '../daemons/notices.ts'
import { configureOnHangup } from '../daemons/on-hangup.ts'
import { type OvnAllInOne, openOvnAllInOne } from '../daemons/ovn/all-in-one.ts'
import { requireNamespaces } from '../daemons/privileges.ts'
import { changedValues } from '../daemons/proxy-config.ts'
import { openStateDirectory } from '../daemons/state-directory.ts'
import { unlessSignalled, untilSignal } from '../daemons/until-signal.ts'
import { openSqliteStore } from '../inventory/sql/sqlite.ts'
import { openLog } from '../observe/log.ts'
import { applyFile } from './apply-file.ts'
import { command } from './command.ts'
import { checkRemotes } from './ovn-remotes.ts'

const { dhcp_lease_duration } = datapathOptions

/** What the process that answers guests has to know. */
const ANSWERING = { ...documentOptions, ...rateLimitOptions, ...logOptions, dhcp_lease_duration }

/** What SIGHUP puts in force, by what carries guests' packets. */
const LIVE = {
  bridges: { ...datapathOptions, ...ANSWERING },
  ovn: { ...proxyOptions, ...ANSWERING },
} as const satisfies Record<string, Options>

const OPTIONS = {
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
}

export const up = command({
  usage: '',
  description:
    'Serves every network of the inventory from this host: a bridge and a DHCP namespace for each network, dnsmasq with the metadata route, a namespace for each router, 169.254.169.254 answered inside them. Servers of the kinds `hypervisor: namespace`, `qemu` and `libvirt` are started too; the latter two keep disk and config drive when they are stopped, until the server is removed from the inventory. Follows every change of the inventory; SIGHUP reads the configuration files again. Ctrl-C takes it all away again; records and leases stay. With --datapath ovn no server is started, options of bridges and DHCP count for nothing, and what is taken away is the Northbound’s part too, which is the network of guests on all chassis; what stays since a database does not answer is named, and taken away by the next run.',
  options: OPTIONS,
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
    const ended = untilSignal()
    const state = await openStateDirectory(stateDirectory(values, env))
    const release = lockState(state, 'firstboot up')
    const notices = openNotices(env)
    const log = openLog(values.log_level, 'up')
    const opening = openSqliteStore(state.database, Number.POSITIVE_INFINITY).then(async (store) => {
      if (values.file !== '') await applyFile(store, values.file)
      return store
    })
    const store = deferredStore(opening)
    const answeringWith = (now: typeof values) => {
      const files = filesOf(now)
      const command = argumentsFor(ANSWERING, { ...now, ...files })
      return {
        ...command,
        args: ['--answer-from=inventory', `--state-dir=${state.path}`, ...command.args],
        files: Object.values(files).filter(Boolean),
      }
    }
    const answering = await openAnswering(state, answeringWith(values), log)
    const { sockets } = answering
    const endAnswering = async (error: unknown) => {
      await answering.end()
      throw error
    }
    let inForce = values
    const onValues = async (some: Partial<typeof values>) => {
      const now = { ...inForce, ...some }
      if (changedValues(ANSWERING, inForce, now).length === 0) return
      await answering.replace(answeringWith(now))
      inForce = now
    }
    const given = { values, machines: values, log, sockets, metricsListen: values.metrics_listen, onValues }
    const all: Running<typeof values> = await (values.datapath === 'ovn'
      ? openOvnAllInOne(store, { state, values, sockets, onValues, log })
      : openAllInOne(state, store, given).then(overBridges)
    ).catch(endAnswering)
    const starting = Promise.all([all.started, opening])
    const configure = async () => {
      const { values: now } = reread()
      const answers = changedValues(ANSWERING, inForce, now)
      const changed = await all.configure(now)
      const isReplaced = await answering.replace(answeringWith(now))
      if (isReplaced && answers.length === 0) answers.push('files of vendor data are read again')
      inForce = now
      log.level = now.log_level
      return [...new Set([...changed, ...answers]), ...waiting(values, now)]
    }
    configureOnHangup(configure, notices, terminal.say)
    // Guests that ask are held from now on. What is waited for may be long in coming, and the boot is not to wait for it.
    notices.ready()
    const started = await unlessSignalled(starting, ended).catch(endAnswering)
    if (started !== undefined) {
      const { network, server } = started[0].records
      terminal.say(
        `firstboot is up: ${count(network.size, 'network')}, ${count(server.size, 'server')}, state in ${state.path}. Ctrl-C ends it.`,
      )
    }
    const signal = await ended
    notices.stopping()
    terminal.say(`${signal}: taking namespaces and bridges away; records and leases stay in ${state.path}`)
    for (const line of await all.teardown()) terminal.say(line)
    await answering.end()
    release()
    return 0
  },
})

/** What the process that answers guests reads at its start. It works elsewhere: a relative path would lead it astray. */
function filesOf(values: Values<typeof documentOptions>): Readonly<Record<string, string>> {
  const absolute = (path: string) => path && resolve(path)
  return {
    vendordata_jsonfile_path: absolute(values.vendordata_jsonfile_path),
    vendordata_dynamic_ssl_certfile: absolute(values.vendordata_dynamic_ssl_certfile),
  }
}

/** What is otherwise than when this run began, and is used only then. */
function waiting(first: Values<typeof OPTIONS>, now: Values<typeof OPTIONS>): readonly string[] {
  const live = LIVE[first.datapath]
  const others = Object.entries(OPTIONS).filter(([name]) => !(name in live))
  return changedValues(Object.fromEntries(others), first, now).map((line) => `${line} (counts from the next start on)`)
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}

/** Whatever carries guests' packets, from the moment in which it can be asked to end. */
interface Running<V> extends Pick<OvnAllInOne, 'started' | 'teardown'> {
  configure(values: V): Promise<readonly string[]>
}

function overBridges({ started, datapath, teardown }: AllInOne): Running<DatapathValues> {
  return {
    started,
    configure: (values) => datapath.configure(values),
    teardown: async () => {
      await teardown()
      return []
    },
  }
}
