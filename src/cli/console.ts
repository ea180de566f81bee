import { existsSync } from 'node:fs'
import { truth } from '../config/option.ts'
import { stateDirectory, stateOptions } from '../config/options/state.ts'
import { UsageError } from '../config/read.ts'
import { existingStateDirectory, type StateDirectory } from '../daemons/state-directory.ts'
import { untilSignal } from '../daemons/until-signal.ts'
import { machineFiles } from '../host/machine-files.ts'
import { NamespaceGuests } from '../host/namespace-guests.ts'
import type { HypervisorKind, Server } from '../inventory/records/server.ts'
import { openSqliteStore } from '../inventory/sql/sqlite.ts'
import { command } from './command.ts'
import { printable } from './config-drive/printable.ts'
import { findServer } from './find-server.ts'
import { followLines } from './lab/follow-lines.ts'

/** Where each hypervisor leaves what a guest prints; null: with somebody else. */
const CONSOLES: Readonly<Record<HypervisorKind, (state: StateDirectory, server: Server) => string | null>> = {
  external: () => null,
  namespace: ({ instances }, { id }) => new NamespaceGuests(instances, '').consoleOf(id),
  qemu: ({ machines }, { id }) => machineFiles(machines, id).console,
  libvirt: ({ machines }, { id }) => machineFiles(machines, id).console,
}

export const consoleCommand = command({
  usage: 'SERVER',
  operands: 1,
  description:
    'Prints what a guest that firstboot runs has written to its serial console, and goes on as it writes more, until Ctrl-C. Control characters of the guest are shown as a sign, so that they cannot steer your terminal.',
  options: { follow: truth(true, 'Print what is there, and end.'), ...stateOptions },
  examples: [
    ['firstboot console web-1', 'watch it boot'],
    ['firstboot console web-1 --no-follow | tail', 'how it ended'],
  ],
  run: async ({ values, positionals, env, terminal }) => {
    const state = await existingStateDirectory(stateDirectory(values, env))
    const store = await openSqliteStore(state.database)
    const server = findServer((await store.load()).records, positionals[0])
    await store.close()
    const path = CONSOLES[server.hypervisor](state, server)
    if (path === null)
      throw new UsageError(`${server.name} is run by somebody else (hypervisor: external), who has its console`)
    if (!existsSync(path))
      throw new UsageError(`${server.name} has not been started: is firstboot up running on ${state.path}?`)
    const end = followLines(path, (line) => terminal.print(printable(line.replace(/\r+$/, ''))))
    if (values.follow) await untilSignal()
    end()
    return 0
  },
})
