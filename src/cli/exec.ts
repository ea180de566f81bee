import { join } from 'node:path'
import { stateDirectory, stateOptions } from '../config/options/state.ts'
import { UsageError } from '../config/read.ts'
import { existingStateDirectory } from '../daemons/state-directory.ts'
import { runInteractive } from '../host/interactive.ts'
import { guestEntry, NamespaceGuests } from '../host/namespace-guests.ts'
import type { HypervisorKind, Server } from '../inventory/records/server.ts'
import { openSqliteStore } from '../inventory/sql/sqlite.ts'
import { againInSandbox } from './again-in-sandbox.ts'
import { command } from './command.ts'
import { findServer } from './find-server.ts'
import type { Terminal } from './terminal.ts'

export const exec = command({
  usage: 'SERVER -- COMMAND [ARGUMENT...]',
  operands: Number.POSITIVE_INFINITY,
  description:
    'Runs a command inside a guest that firstboot itself runs (hypervisor: namespace). SERVER is a name or an id.',
  options: stateOptions,
  examples: [
    ['firstboot exec --lab blue-1 -- ip address', 'what the guest of the running npm start got by DHCP'],
    [
      'firstboot exec --lab blue-1 -- curl -s http://169.254.169.254/openstack/latest/meta_data.json',
      'ask as the guest',
    ],
    ['firstboot exec --lab blue-1 -- sh', 'look around'],
  ],
  run: async ({ values, positionals, origins, env, terminal }) => {
    const [wanted, ...words] = positionals
    const [program, ...args] = words
    if (program === undefined) throw new UsageError('name the server and, behind --, the command')
    const directory = stateDirectory(values, env)
    const asked = { name: 'exec', options: stateOptions, values, origins, env, words: positionals }
    const code = await againInSandbox(directory, asked)
    return code ?? runInteractive(guestEntry(await initOf(directory, wanted, terminal.say), [program, ...args]))
  },
})

/** After it somebody may wonder why nothing happens. */
const REMARK_MILLISECONDS = 500

/** @throws UsageError when there is no such server or it does not run here */
async function initOf(directory: string, wanted: string | undefined, say: Terminal['say']): Promise<number> {
  const state = await existingStateDirectory(directory)
  const store = await openSqliteStore(state.database)
  const server = findServer((await store.load()).records, wanted)
  await store.close()
  const remark = setTimeout(
    () => say(`${server.name} still starts; it is entered as soon as it can be.`),
    REMARK_MILLISECONDS,
  )
  const init = await new NamespaceGuests(state.instances, '').initOf(server.id)
  clearTimeout(remark)
  if (init !== undefined) return init
  throw new UsageError(`${server.name}: ${REASONS[server.hypervisor](directory, server)}`)
}

/** Why a server cannot be entered. */
const MACHINE = (_: string, { name }: Server) =>
  `it is a virtual machine, which has no door on this side; firstboot console ${name} shows what it prints`
const REASONS: Readonly<Record<HypervisorKind, (directory: string, server: Server) => string>> = {
  namespace: (directory) => `it does not run: is firstboot up running on ${join(directory)}?`,
  external: () => 'it is run by somebody else (hypervisor: external), so firstboot cannot enter it',
  qemu: MACHINE,
  libvirt: MACHINE,
}
