import { socketKeeperOptions } from '../config/options/datapath.ts'
import { stateDirectory, stateOptions } from '../config/options/state.ts'
import { requireNamespaces } from '../daemons/privileges.ts'
import { openStateDirectory } from '../daemons/state-directory.ts'
import { openSocketKeeper } from '../host/socket-keeper/keeper.ts'
import { command } from './command.ts'

export const socketKeeper = command({
  usage: '',
  description:
    'Opens sockets in network namespaces for those who ask on its unix socket, and keeps them while others come and go. It outlives the daemons that use it, so that no guest is refused while they restart. Started by `up` and `dhcp-agent` where none runs.',
  options: { ...socketKeeperOptions, ...stateOptions },
  examples: [['sudo firstboot socket-keeper', 'as a service of its own, started before firstboot dhcp-agent']],
  run: async ({ values, env, terminal }) => {
    requireNamespaces()
    const path = values.socket_keeper || (await openStateDirectory(stateDirectory(values, env))).socketKeeper
    const keeper = await openSocketKeeper(path)
    terminal.print(`firstboot socket-keeper listens on ${path}`)
    await keeper.ended
    return 0
  },
})
