import { documentOptions } from '../config/options/documents.ts'
import { stateDirectory, stateOptions } from '../config/options/state.ts'
import { openMetadataService } from '../daemons/metadata-service.ts'
import { existingStateDirectory } from '../daemons/state-directory.ts'
import { openInventory } from '../inventory/catalog.ts'
import { openSqliteStore } from '../inventory/sql/sqlite.ts'
import { silentLog } from '../observe/log.ts'
import { command } from './command.ts'
import { findServer } from './find-server.ts'
import { readAs } from './read-as.ts'

export const render = command({
  usage: 'SERVER [PATH]',
  operands: 2,
  description:
    'Prints what that guest would read at a path of the metadata service, byte for byte, with no network at all. Without PATH: the list of OpenStack versions. Exit code 1 when the guest would get an error.',
  options: { ...stateOptions, ...documentOptions },
  examples: [
    ['firstboot render web-1 /openstack/latest/meta_data.json', 'the document cloud-init reads first'],
    ['firstboot render web-1 /latest/meta-data/', 'a directory of the EC2 tree'],
    ['firstboot render web-1 /openstack/latest/user_data | file -', 'user data may be binary'],
  ],
  run: async ({ values, positionals, env, terminal }) => {
    const [wanted, path = '/openstack'] = positionals
    const state = await existingStateDirectory(stateDirectory(values, env))
    const store = await openSqliteStore(state.database)
    const inventory = openInventory(store, undefined, { flatInjected: values.flat_injected })
    await inventory.ready
    const server = findServer(inventory.records, wanted)
    const service = openMetadataService(inventory, store, '', values, silentLog)
    const read = await readAs(service, server)
    const reply = await read(path.startsWith('/') ? path : `/${path}`)
    inventory.close()
    await store.close()
    if (reply.status !== 200) {
      terminal.say(
        `${server.name} would get ${reply.status} for ${path}: ${Buffer.from(reply.body).toString().trim().split('\n').at(-1)}`,
      )
      return 1
    }
    terminal.write(reply.body)
    return 0
  },
})
