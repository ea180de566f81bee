import { text } from '../config/option.ts'
import { datapathOptions, documentOptions, logOptions, stateDirectory, stateOptions } from '../config/options.ts'
import { openAllInOne } from '../daemons/all-in-one.ts'
import { deferredStore } from '../daemons/deferred-store.ts'
import { lockState } from '../daemons/lock-state.ts'
import { configureOnHangup } from '../daemons/on-hangup.ts'
import { requireNamespaces } from '../daemons/privileges.ts'
import { openStateDirectory } from '../daemons/state-directory.ts'
import { unlessSignalled, untilSignal } from '../daemons/until-signal.ts'
import { openSqliteStore } from '../inventory/sql/sqlite.ts'
import { openLog } from '../observe/log.ts'
import { applyFile } from './apply-file.ts'
import { command } from './command.ts'

export const up = command({
  usage: '',
  description:
    'Serves every network of the inventory from this host, in one process: a bridge and a DHCP namespace for each network, dnsmasq with the metadata route, a namespace for each router, 169.254.169.254 answered inside them. Servers of the kind `hypervisor: namespace` are started too. Follows every change of the inventory; SIGHUP reads the options again. Ctrl-C takes it all away again; records and leases stay.',
  options: {
    file: text('FILE', '', 'Apply this inventory file first.', { short: 'f' }),
    ...stateOptions,
    ...documentOptions,
    ...datapathOptions,
    log_level: { ...logOptions.log_level, default: 'warn' as const },
  },
  examples: [
    ['sudo firstboot up -f my.yaml', 'serve what the file describes on this host'],
    ['firstboot sandbox -- firstboot up -f my.yaml -s /tmp/state', 'the same where it can touch nothing'],
  ],
  run: async ({ values, env, terminal, reread }) => {
    requireNamespaces()
    const state = await openStateDirectory(stateDirectory(values, env))
    const release = lockState(state, 'firstboot up')
    const log = openLog(values.log_level, 'up')
    const ended = untilSignal()
    const opening = openSqliteStore(state.database, Number.POSITIVE_INFINITY).then(async (store) => {
      if (values.file !== '') await applyFile(store, values.file)
      return store
    })
    const starting = Promise.all([openAllInOne(state, deferredStore(opening), { values, log }), opening])
    const started = await unlessSignalled(starting, ended)
    if (started === undefined) return 0
    const [all] = started
    configureOnHangup(all.datapath, reread, terminal.say)
    const { network, server } = all.inventory.records
    terminal.say(
      `firstboot is up: ${count(network.size, 'network')}, ${count(server.size, 'server')}, state in ${state.path}. Ctrl-C ends it.`,
    )
    const signal = await ended
    terminal.say(`${signal}: taking namespaces and bridges away; records and leases stay in ${state.path}`)
    await all.teardown()
    release()
    return 0
  },
})

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
