import { readFileSync } from 'node:fs'
import { text, truth } from '../config/option.ts'
import { stateDirectory, stateOptions } from '../config/options/state.ts'
import { UsageError } from '../config/read.ts'
import { existingStateDirectory } from '../daemons/state-directory.ts'
import { unreadable } from '../daemons/unreadable.ts'
import type { Server } from '../inventory/records/server.ts'
import { openSqliteStore } from '../inventory/sql/sqlite.ts'
import { InventoryConflict, type InventoryStore } from '../inventory/store.ts'
import { command } from './command.ts'
import { findServer } from './find-server.ts'
import { decryptPassword } from './password/decrypt.ts'

export const password = command({
  usage: 'SERVER',
  operands: 1,
  description:
    'Prints what the guest posted to its password resource: Windows images post the password of their administrator at first boot, encrypted with the public key of the server. Exit code 1 when there is nothing yet. A guest can post once; after a rebuild --reset lets it post again.',
  options: {
    private_key: text('FILE', '', 'The RSA private key (PEM) to decrypt it with.'),
    reset: truth(false, 'Forget what was posted.'),
    ...stateOptions,
  },
  examples: [
    ['firstboot password win-1 --private-key ~/.ssh/win.pem', 'in clear text'],
    ['firstboot password win-1', 'as the guest posted it'],
    ['firstboot password win-1 --reset', 'before the guest is installed again'],
  ],
  run: async ({ values, positionals, env, terminal }) => {
    const [wanted] = positionals
    if (values.reset && values.private_key !== '') throw new UsageError('either --private-key or --reset')
    const state = await existingStateDirectory(stateDirectory(values, env))
    const store = await openSqliteStore(state.database)
    try {
      const server = values.reset ? await reset(store, wanted) : findServer((await store.load()).records, wanted)
      if (values.reset) terminal.say(`${server.name}: the next password the guest posts is kept.`)
      else if (server.password === '') terminal.say(`${server.name} has posted no password yet.`)
      else terminal.print(values.private_key === '' ? server.password : decrypted(server, values.private_key))
      return values.reset || server.password !== '' ? 0 : 1
    } finally {
      await store.close()
    }
  },
})

function decrypted({ password }: Server, file: string): string {
  try {
    return decryptPassword(password, readFileSync(file, 'utf8'))
  } catch (error) {
    throw error instanceof Error && 'syscall' in error ? new Error(`--private-key: ${unreadable(file, error)}`) : error
  }
}

/** Whoever else writes meanwhile does not matter: the record is read again. @returns the server as it was */
async function reset(store: InventoryStore, wanted: string | undefined): Promise<Server> {
  for (;;) {
    const { records, sequence } = await store.load()
    const server = findServer(records, wanted)
    if (server.password === '') return server
    try {
      await store.commit([{ op: 'put', noun: 'server', record: { ...server, password: '' } }], sequence)
      return server
    } catch (error) {
      if (!(error instanceof InventoryConflict)) throw error
    }
  }
}
